"""The end user's keys with every client that can send the portal's cookie, and with the one that cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal import clock, tokens
from portal.contrib.keys.models import ApiKey
from portal.models import PortalConfig, PortalEvent
from tests.doubles import BrokenKeyStore, SilentKeyStore
from tests.factories import PortalConfigFactory, issue_root_key, sign_in

from .clients import clients, with_keys
from .conftest import Sdk
from .outcomes import INVALID

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3_600_000
VERIFICATIONS = {"startTime": 0, "endTime": HOUR}


@pytest.fixture
def config(db: None) -> PortalConfig:
    return PortalConfigFactory(slug="my-portal", key_permissions=["maps.read"])


@pytest.fixture
def create(api: Callable[..., Any], token: str) -> Callable[..., dict[str, Any]]:
    """Return ``create(name, **members)``, which makes a key and returns ``keyId`` and ``key``."""

    def make(name: str = "Laptop", **members: Any) -> dict[str, Any]:
        answer = api("createKey", {"name": name, **members}, token=token)
        assert answer.status_code == 200, answer.content
        data: dict[str, Any] = answer.json()["data"]
        return data

    return make


@clients(with_keys)
def test_list_keys(sdk: Sdk, create: Callable[..., Any], token: str) -> None:
    now = clock.now()
    with clock.using(lambda: now):
        plain, full = create("Plain"), create("Full", permissions=["maps.read"])
    ApiKey.objects.filter(name="Full").update(
        last_used_at=now, updated_at=now, metadata={"plan": "pro"}, rate_limit=100, rate_limit_seconds=60
    )
    ApiKey.objects.filter(name="Plain").update(expires_at=None, enabled=False)

    (page,) = sdk("listKeys", {}, cookie=token).pages

    assert page["pagination"] == {"hasMore": False}
    at = clock.to_milliseconds(now)
    assert {key["name"]: key for key in page["data"]} == {
        "Plain": {
            "keyId": plain["keyId"],
            "start": tokens.api_key_start(plain["key"]),
            "name": "Plain",
            "enabled": False,
            "createdAt": at,
        },
        "Full": {
            "keyId": full["keyId"],
            "start": tokens.api_key_start(full["key"]),
            "name": "Full",
            "enabled": True,
            "createdAt": at,
            "updatedAt": at,
            "lastUsedAt": at,
            "expires": clock.to_milliseconds(now + timedelta(days=90)),
            "permissions": ["maps.read"],
            "meta": {"plan": "pro"},
            "ratelimits": [
                {"id": full["keyId"], "name": "requests", "limit": 100, "duration": 60_000, "autoApply": True}
            ],
        },
    }


@clients(with_keys)
def test_list_keys_page_by_page(sdk: Sdk, create: Callable[..., Any], token: str) -> None:
    made = {create(f"Key {number}")["keyId"] for number in range(5)}

    # The client's own iterator follows the cursors.
    pages = sdk("listKeys", {"limit": 2}, cookie=token).pages

    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert [page["pagination"]["hasMore"] for page in pages] == [True, True, False]
    walked = [key["keyId"] for page in pages for key in page["data"]]
    assert set(walked) == made
    assert len(walked) == len(made)


@clients(with_keys)
def test_list_keys_of_somebody_without_any(sdk: Sdk, config: PortalConfig, create: Callable[..., Any]) -> None:
    create()
    (page,) = sdk("listKeys", {}, cookie=sign_in(config, "user_456").secret).pages
    assert (page["data"], page["pagination"]) == ([], {"hasMore": False})


@clients(with_keys)
def test_the_cookie_is_the_only_credential_that_is_sent(sdk: Sdk, config: PortalConfig, token: str) -> None:
    outcome = sdk("listKeys", {}, key=issue_root_key().secret, cookie=token)
    (exchange,) = outcome.exchanges
    assert len(outcome.pages) == 1
    assert exchange["sent"]["cookie"] == f"portal_session={token}"
    assert "authorization" not in exchange["sent"]


@clients(with_keys)
def test_the_exchanged_token_opens_the_keys(sdk: Sdk, key: str, create: Callable[..., Any]) -> None:
    made = create()
    exchanged = sdk.exchange(sdk.code_of(sdk.mint(key).data)).data
    (page,) = sdk("listKeys", {}, cookie=exchanged[sdk.dialect.token]).pages
    assert [item["keyId"] for item in page["data"]] == [made["keyId"]]


@clients(with_keys)
def test_reroll_key(sdk: Sdk, create: Callable[..., Any], token: str) -> None:
    made = create()

    data = sdk("rerollKey", {"keyId": made["keyId"], "expiration": HOUR}, cookie=token).data

    assert data["keyId"] == made["keyId"]
    assert data["key"] != made["key"]
    assert tokens.is_api_key(data["key"])
    assert ApiKey.objects.get().start == tokens.api_key_start(data["key"])
    event = PortalEvent.objects.get(kind="key.rotated")
    assert clock.to_milliseconds(event.created_at) + HOUR - event.detail["old_secret_ends"] in range(1000)


@clients(with_keys)
def test_400(sdk: Sdk, config: PortalConfig, create: Callable[..., Any], token: str) -> None:
    for operation, request, location in (
        ("listKeys", {"limit": 0}, "body.limit"),
        ("listKeys", {"cursor": ""}, "body.cursor"),
        ("rerollKey", {"keyId": "key_1", "expiration": -1}, "body.expiration"),
    ):
        detail = f"POST request body for '/v2/portal.{operation}' failed to validate schema"
        outcome = sdk(operation, request, cookie=token)
        assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID, detail) == [location]

    PortalConfig.objects.update(key_grace_periods=[0, 900])
    outcome = sdk("rerollKey", {"keyId": create()["keyId"], "expiration": HOUR}, cookie=token)
    detail = "The request asks for what this portal does not allow."
    assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID, detail) == ["body.expiration"]


@clients(with_keys)
def test_401(sdk: Sdk, config: PortalConfig, create: Callable[..., Any]) -> None:
    session, ended = sign_in(config)
    session.revoke()
    not_found = ("portal_session_not_found", "Session is invalid, expired, or has already been used.")
    missing = ("portal_token_missing", "A portal session token is required for this request.")
    for operation, request in (
        ("listKeys", {}),
        ("rerollKey", {"keyId": create()["keyId"], "expiration": 0}),
        ("getVerifications", VERIFICATIONS),
    ):
        for cookie, (name, detail) in ((ended, not_found), (issue_root_key().secret, missing)):
            outcome = sdk(operation, request, cookie=cookie)
            outcome.assert_error("UnauthorizedErrorResponse", 401, f"unkey/authentication/{name}", detail)


@clients(with_keys)
def test_403(sdk: Sdk, config: PortalConfig, create: Callable[..., Any], token: str) -> None:
    reroll = {"keyId": create()["keyId"], "expiration": 0}
    code = "unkey/authorization/insufficient_permissions"
    for operation, request, held, lacking in (
        ("listKeys", {}, "keys:reroll", "keys:read"),
        ("rerollKey", reroll, "keys:read", "keys:reroll"),
        ("getVerifications", VERIFICATIONS, "keys:read", "analytics:read"),
    ):
        outcome = sdk(operation, request, cookie=sign_in(config, granted=[held]).secret)
        outcome.assert_error("ForbiddenErrorResponse", 403, code, f"Missing permission: '{lacking}'")

    outcome = sdk("rerollKey", reroll, cookie=sign_in(config, preview=True).secret)
    outcome.assert_error("ForbiddenErrorResponse", 403, "unkey/authorization/forbidden")

    ApiKey.objects.update(locked=True)
    outcome = sdk("rerollKey", reroll, cookie=token)
    detail = "The operator locked this key. Ask them to unlock it."
    outcome.assert_error("ForbiddenErrorResponse", 403, "portal/keys/locked", detail)


@clients(with_keys)
def test_404(sdk: Sdk, config: PortalConfig, create: Callable[..., Any], token: str) -> None:
    foreign, now = create()["keyId"], clock.to_milliseconds(clock.now())
    code, detail = "unkey/data/key_not_found", "The specified key was not found."
    for cookie, key_id in ((sign_in(config, "user_456").secret, foreign), (token, "key_" + "0" * 22)):
        for operation, request in (
            ("rerollKey", {"expiration": 0}),
            ("getVerifications", {"startTime": now - HOUR, "endTime": now}),
        ):
            outcome = sdk(operation, {"keyId": key_id, **request}, cookie=cookie)
            outcome.assert_error("NotFoundErrorResponse", 404, code, detail)
            assert key_id not in outcome.exchanges[0]["body"]


@clients(with_keys)
def test_409_is_an_error_that_the_client_does_not_know(sdk: Sdk, create: Callable[..., Any], token: str) -> None:
    made = create()
    ApiKey.objects.update(enabled=False)
    outcome = sdk("rerollKey", {"keyId": made["keyId"], "expiration": 0}, cookie=token)
    # Undeclared before the fourth generation: the general class, with status and body.
    outcome.assert_general_error(409, "portal/keys/not_active")


@clients(with_keys)
def test_429_of_writes(sdk: Sdk, create: Callable[..., Any], token: str, settings: Any) -> None:
    made = create()
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"page_write": "1/day"}}
    outcomes = [sdk("rerollKey", {"keyId": made["keyId"], "expiration": 0}, cookie=token) for _ in range(2)]
    code = "user/too_many_requests/workspace_rate_limited"
    outcomes[-1].assert_error("TooManyRequestsErrorResponse", 429, code)


@clients(with_keys)
def test_a_key_store_that_fails_is_an_error_that_the_client_does_not_know(sdk: Sdk, token: str, settings: Any) -> None:
    calls = (("listKeys", {}), ("rerollKey", {"keyId": "key_1", "expiration": 0}))
    for double, status, name in ((BrokenKeyStore, 502, "store_failed"), (SilentKeyStore, 503, "store_unavailable")):
        settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": f"tests.doubles.{double.__name__}"}}
        for operation, request in calls:
            sdk(operation, request, cookie=token).assert_general_error(status, f"portal/keys/{name}")


@clients(lambda client: bool(client.unsendable))
def test_the_client_that_cannot_send_a_cookie(sdk: Sdk, token: str) -> None:
    """It knows these operations and raises before it sends anything, whatever the server (wire contract section 7)."""
    requests = {
        "listKeys": {},
        "rerollKey": {"keyId": "key_1", "expiration": 0},
        "getVerifications": VERIFICATIONS,
    }
    for operation in sdk.client.unsendable:
        message = sdk(operation, requests[operation], cookie=token).assert_refused_by_client("ValueError")
        assert "not supported" in message, operation
