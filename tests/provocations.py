"""For every error code the call, over HTTP, that the documentation's example answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import time_machine
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client, override_settings

from portal.contrib.keys.models import ApiKey
from portal.error_docs.doc import EXAMPLE_KEY_ID
from portal.models import PortalConfig, RootKey
from portal.throttle import forget_counts
from tests.factories import PortalConfigFactory, issue_root_key, sign_in

BODY = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}

Provocation = Callable[[Client], Any]
PROVOCATIONS: dict[str, Provocation] = {}


def provokes(code: str) -> Callable[[Provocation], Provocation]:
    def register(function: Provocation) -> Provocation:
        PROVOCATIONS[code] = function
        return function

    return register


def post(client: Client, operation: str, body: Any, token: str | None = None, **extra: Any) -> Any:
    headers = {"Authorization": token} if token is not None else {}
    extra.setdefault("content_type", "application/json")
    return client.post(f"/v2/portal.{operation}", body, headers=headers, **extra)


def mint(client: Client, *, key: str | None = None, **members: Any) -> Any:
    """Call createSession with a root key of its own, for a portal that is there."""
    PortalConfig.objects.filter(slug="my-portal").exists() or PortalConfigFactory(slug="my-portal")
    body = {name: value for name, value in {**BODY, **members}.items() if value is not None}
    return post(client, "createSession", body, f"Bearer {key or issue_root_key().secret}")


class Broken:
    def read(self, size: int = -1) -> bytes:
        raise OSError("connection reset")

    readline = read


def failing(error: Exception) -> Any:
    def fail(*args: Any) -> None:
        raise error

    return connection.execute_wrapper(fail)


@provokes("unkey/application/invalid_input")
def invalid_input(client: Client) -> Any:
    return mint(client, externalId=None)


@provokes("user/bad_request/request_body_unreadable")
def body_unreadable(client: Client) -> Any:
    headers = {"Authorization": f"Bearer {issue_root_key().secret}"}
    extra = {"wsgi.input": Broken()}
    path = "/v2/portal.createSession"
    return client.generic("POST", path, b"{}", content_type="application/json", headers=headers, **extra)


@provokes("user/bad_request/request_body_too_large")
def body_too_large(client: Client) -> Any:
    return post(client, "createSession", b"{}".ljust(262145))


@provokes("unkey/authentication/missing")
def missing(client: Client) -> Any:
    return post(client, "createSession", BODY)


@provokes("unkey/authentication/malformed")
def malformed(client: Client) -> Any:
    return post(client, "createSession", BODY, issue_root_key().secret)


@provokes("unkey/authentication/key_not_found")
def key_not_found(client: Client) -> Any:
    return post(client, "createSession", BODY, "Bearer prk_" + "0" * 43)


@provokes("unkey/authentication/portal_token_missing")
def portal_token_missing(client: Client) -> Any:
    return post(client, "getSession", {})


@provokes("unkey/authentication/portal_session_not_found")
def portal_session_not_found(client: Client) -> Any:
    code = mint(client).json()["data"]["sessionId"]
    assert post(client, "exchangeSession", {"sessionId": code}).status_code == 200
    return post(client, "exchangeSession", {"sessionId": code})


@provokes("unkey/authorization/forbidden")
def forbidden(client: Client) -> Any:
    PortalConfigFactory(slug="my-portal", enabled=False)
    return mint(client)


@provokes("unkey/authorization/insufficient_permissions")
def insufficient_permissions(client: Client) -> Any:
    key = issue_root_key(granted=["portal.*.create_portal_session", "keys:read"]).secret
    return mint(client, key=key, permissions=["keys:read", "keys:delete"])


@provokes("unkey/authorization/key_disabled")
def key_disabled(client: Client) -> Any:
    root_key, key = issue_root_key()
    RootKey.objects.filter(pk=root_key.pk).update(enabled=False)
    return mint(client, key=key)


@provokes("unkey/data/portal_config_not_found")
def portal_config_not_found(client: Client) -> Any:
    return mint(client, slug="another-portal")


@provokes("unkey/data/portal_not_found")
def portal_not_found(client: Client) -> Any:
    body = {"portal": "another-portal", "externalId": "user_123", "scopes": ["keys:read"]}
    return post(client, "createSession", body, f"Bearer {issue_root_key().secret}")


@provokes("unkey/data/portal_already_exists")
def portal_already_exists(client: Client) -> Any:
    PortalConfigFactory(slug="another-portal")
    body = {"slug": "another-portal", "displayName": "Example", "keyspaceId": "another-keyspace"}
    return post(client, "createPortal", body, f"Bearer {issue_root_key(granted=['portal.*.create_portal']).secret}")


@provokes("portal/request/unknown_operation")
def unknown_operation(client: Client) -> Any:
    return post(client, "createSession/", BODY)


@provokes("portal/request/method_not_allowed")
def method_not_allowed(client: Client) -> Any:
    return client.get("/v2/portal.getSession")


@provokes("portal/request/unsupported_media_type")
def unsupported_media_type(client: Client) -> Any:
    return post(client, "exchangeSession", "{}", content_type="application/x-www-form-urlencoded")


@provokes("user/too_many_requests/workspace_rate_limited")
def too_many_requests(client: Client) -> Any:
    key = issue_root_key().secret
    forget_counts()
    # 18 seconds before the minute is over.
    with time_machine.travel(int(time.time()) // 60 * 60 + 42, tick=False):
        for _ in range(600):
            assert mint(client, key=key, slug="another-portal").status_code == 404
        return mint(client, key=key)


@provokes("unkey/application/unexpected_error")
def unexpected_error(client: Client) -> Any:
    token = sign_in().secret
    with failing(RuntimeError("inside")):
        return post(client, "getSession", {}, f"Bearer {token}")


@provokes("unkey/application/service_unavailable")
def service_unavailable(client: Client) -> Any:
    token = sign_in().secret
    with failing(OperationalError("away")):
        return post(client, "getSession", {}, f"Bearer {token}")


class Keys:
    """A user's client, which has one key."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.token = f"Bearer {sign_in().secret}"
        assert self("createKey", name="Staging server").status_code == 200
        ApiKey.objects.update(public_id=EXAMPLE_KEY_ID)

    def __call__(self, operation: str, **body: Any) -> Any:
        return post(self.client, operation, body, self.token)

    def reroll(self, key_id: str = EXAMPLE_KEY_ID) -> Any:
        return self("rerollKey", keyId=key_id, expiration=3_600_000)


def key_store(name: str) -> Any:
    """Within this context the key store is one of tests/doubles.py."""
    return override_settings(PORTAL={**settings.PORTAL, "KEY_STORE": {"BACKEND": f"tests.doubles.{name}"}})


@provokes("unkey/data/key_not_found")
def api_key_not_found(client: Client) -> Any:
    return Keys(client).reroll("key_" + "0" * 22)


@provokes("portal/keys/locked")
def key_locked(client: Client) -> Any:
    keys = Keys(client)
    ApiKey.objects.update(locked=True)
    return keys.reroll()


@provokes("portal/keys/already_created")
def key_already_created(client: Client) -> Any:
    keys = Keys(client)
    client.defaults["HTTP_IDEMPOTENCY_KEY"] = "a-random-uuid"
    assert keys.reroll().status_code == 200
    return keys.reroll()


@provokes("portal/keys/name_taken")
def key_name_taken(client: Client) -> Any:
    return Keys(client)("createKey", name="Staging server")


@provokes("portal/keys/limit_reached")
def key_limit_reached(client: Client) -> Any:
    keys = Keys(client)
    PortalConfig.objects.update(key_limit=1)
    return keys("createKey", name="Laptop")


@provokes("portal/keys/changed_meanwhile")
def key_changed_meanwhile(client: Client) -> Any:
    keys = Keys(client)
    with key_store("BusyKeyStore"):
        return keys("updateKey", keyId=EXAMPLE_KEY_ID, enabled=False)


@provokes("portal/keys/not_active")
def key_not_active(client: Client) -> Any:
    keys = Keys(client)
    assert keys("updateKey", keyId=EXAMPLE_KEY_ID, enabled=False).status_code == 200
    return keys.reroll()


@provokes("portal/keys/store_failed")
def key_store_failed(client: Client) -> Any:
    keys = Keys(client)
    with key_store("BrokenKeyStore"):
        return keys("listKeys")


@provokes("portal/keys/store_unavailable")
def key_store_unavailable(client: Client) -> Any:
    keys = Keys(client)
    with key_store("SilentKeyStore"):
        return keys("listKeys")


def provoke(code: str, **portal: Any) -> Any:
    """Return the answer that refuses with ``code``, under these PORTAL settings."""
    with override_settings(PORTAL={"BASE_URL": "https://portal.example.com", **portal}):
        return PROVOCATIONS[code](Client())
