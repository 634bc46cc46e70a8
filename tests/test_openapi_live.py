"""The OpenAPI document is true: bodies that it allows are taken and others refused, live answers are as it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from portal.contrib.keys.models import ApiKey
from portal.errors import CATALOGUE
from portal.models import PortalConfig
from tests.openapi import assert_answer_is_in_it, body_problems, caller, document, operations
from tests.provocations import provoke

OPERATIONS = list(operations())
TOO_MANY = "user/too_many_requests/workspace_rate_limited"

# Bodies ----------------------------------------------------------------------------------------------------------------

KEY_ID = "key_" + "0" * 22
SLUG = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
SCOPED = {"portal": "my-portal", "externalId": "user_123", "scopes": ["keys:read"]}
TAKEN: list[tuple[str, Any]] = [
    ("portal.createSession", {**SLUG, "permissions": ["api.*.read_key", "keys:read", "ä.\n.ö"]}),
    ("portal.createSession", {**SLUG, "externalId": "𝄞" * 256, "preview": True, "ttl": 1, "metadata": {"a": [None]}}),
    (
        "portal.createSession",
        {**SCOPED, "displayName": "x" * 256, "returnUrl": "https://app.example.com/", "next": "keys/"},
    ),
    ("portal.exchangeSession", {"sessionId": "x" * 512}),
    ("portal.exchangeCode", {"code": "x"}),
    ("portal.getSession", {}),
    ("portal.listKeys", {}),
    ("portal.listKeys", {"limit": 100}),
    ("portal.createKey", {"name": "x" * 100, "permissions": []}),
    ("portal.rerollKey", {"keyId": KEY_ID, "expiration": None}),
    ("portal.rerollKey", {"keyId": "a_Z", "expiration": 0}),
    ("portal.updateKey", {"keyId": KEY_ID, "enabled": True}),
    ("keys.verifyKey", {"key": "x", "permissions": "a AND b", "tags": []}),
]
REFUSED: list[tuple[str, Any]] = [
    ("portal.createSession", []),
    ("portal.createSession", {}),
    ("portal.createSession", {**SLUG, "scopes": ["keys:read"]}),
    ("portal.createSession", {**SLUG, "portal": "my-portal"}),
    ("portal.createSession", {**SLUG, "permissions": []}),
    ("portal.createSession", {**SLUG, "permissions": ["keys:fly"]}),
    ("portal.createSession", {**SLUG, "permissions": ["a.b"]}),
    ("portal.createSession", {**SLUG, "permissions": ["a.b.c.d"]}),
    ("portal.createSession", {**SLUG, "permissions": ["keys:read"] * 257}),
    ("portal.createSession", {**SLUG, "permissions": ["a.b." + "c" * 509]}),
    ("portal.createSession", {**SLUG, "permissions": "keys:read"}),
    ("portal.createSession", {**SLUG, "slug": "-my-portal"}),
    ("portal.createSession", {**SLUG, "slug": "My-portal"}),
    ("portal.createSession", {**SLUG, "slug": "ab"}),
    ("portal.createSession", {**SLUG, "slug": "a" * 65}),
    ("portal.createSession", {**SLUG, "preview": None}),
    ("portal.createSession", {**SLUG, "preview": 1}),
    ("portal.createSession", {**SLUG, "ttl": 0}),
    ("portal.createSession", {**SLUG, "ttl": 1.5}),
    ("portal.createSession", {**SLUG, "metadata": []}),
    ("portal.createSession", {**SLUG, "expiresAt": 1}),
    ("portal.createSession", {**SCOPED, "scopes": ["api.*.read_key"]}),
    ("portal.createSession", {**SCOPED, "portal": "a.b"}),
    ("portal.createSession", {**SCOPED, "externalId": ""}),
    ("portal.createSession", {**SCOPED, "externalId": "x" * 257}),
    ("portal.exchangeSession", {"sessionId": ""}),
    ("portal.exchangeSession", {"code": "x"}),
    ("portal.getSession", {"id": "ps_1"}),
    ("portal.listKeys", {"limit": 0}),
    ("portal.listKeys", {"limit": 101}),
    ("portal.listKeys", {"limit": True}),
    ("portal.listKeys", {"cursor": ""}),
    ("portal.createKey", {"name": ""}),
    ("portal.createKey", {"name": "x" * 101}),
    ("portal.createKey", {"name": "x", "expires": 4102444800001}),
    ("portal.createKey", {"name": "x", "permissions": None}),
    ("portal.rerollKey", {"keyId": KEY_ID}),
    ("portal.rerollKey", {"keyId": "é_Z", "expiration": 0}),
    ("portal.updateKey", {"keyId": "ab", "enabled": True}),
    ("portal.updateKey", {"keyId": KEY_ID, "enabled": None}),
    ("portal.deleteKey", {"keyId": KEY_ID, "expiration": 0}),
    ("keys.verifyKey", {"key": "x" * 513}),
    ("keys.verifyKey", {"key": "x", "tags": ["x"] * 21}),
]


@pytest.fixture
def call(client: Any, config: PortalConfig) -> Callable[..., Any]:
    """Return ``call(operation, body)``, by a caller who may do everything."""

    def post(operation: str, body: Any, **headers: str) -> Any:
        headers = {**caller(operation, config), **headers}
        return client.post(f"/v2/{operation}", json.dumps(body), content_type="application/json", headers=headers)

    return post


@pytest.mark.parametrize(("operation", "body"), TAKEN)
def test_what_it_allows_is_taken(call: Callable[..., Any], operation: str, body: Any) -> None:
    assert body_problems(operation, body) == []
    assert call(operation, body).status_code in {200, 401, 404}


@pytest.mark.parametrize(("operation", "body"), REFUSED)
def test_what_it_does_not_allow_is_refused(call: Callable[..., Any], operation: str, body: Any) -> None:
    assert body_problems(operation, body) != []
    assert call(operation, body).status_code == 400


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_says_whether_there_must_be_a_body(operation: str) -> None:
    required = operations()[operation]["requestBody"]["required"]
    assert required is bool(body_problems(operation, {}))


# Answers ---------------------------------------------------------------------------------------------------------------


class Walk:
    """Calls operations, so that each succeeds, and holds the answers against the document; ``seen`` says which."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call
        self.seen: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **body: self(f"portal.{name}", **body)

    def __call__(self, operation: str, **body: Any) -> Any:
        answer = self.call(operation, body)
        assert answer.status_code == 200, answer.content
        assert body_problems(operation, body) == []
        assert_answer_is_in_it(operations()[operation]["responses"], answer)
        self.seen.add(operation)
        return answer.json()["data"]


def test_answers(call: Callable[..., Any], config: PortalConfig) -> None:
    walk = Walk(call)
    sessions(walk, config)
    keys(walk)
    portals(walk)
    usage(walk)
    assert walk.seen == set(OPERATIONS)


def sessions(walk: Walk, config: PortalConfig) -> None:
    code = walk.createSession(**SLUG, displayName="Ada")["sessionId"]
    walk.exchangeSession(sessionId=code)
    code = walk.createSession(**SCOPED)["url"].partition("=")[2]
    walk.exchangeCode(code=code)
    walk.getSession()
    PortalConfig.objects.update(display_name="")
    walk.getSession()
    walk.listSessions(portal=config.slug, limit=1)
    walk.revokeSession(portal=config.slug, externalId="user_123")
    walk.listSessions(portal=config.slug)
    walk.endSession()


def keys(walk: Walk) -> None:
    made = walk.createKey(name="Laptop")
    walk("keys.verifyKey", key=made["key"])
    ApiKey.objects.update(permissions=["maps.read"], metadata={"plan": "pro"}, rate_limit=1, rate_limit_seconds=60)
    walk("keys.verifyKey", key=made["key"])
    assert walk("keys.verifyKey", key=made["key"])["code"] == "RATE_LIMITED"
    assert walk("keys.verifyKey", key="sk_" + "0" * 49)["code"] == "NOT_FOUND"
    walk.updateKey(keyId=made["keyId"], name="Desk")
    walk.rerollKey(keyId=made["keyId"], expiration=3600000)
    walk.createKey(name="Phone")
    walk.listKeys(limit=1)
    walk.deleteKey(keyId=made["keyId"])
    walk.listKeys()


def portals(walk: Walk) -> None:
    made = walk.createPortal(slug="another-portal", displayName="Example", keyspaceId="another-keyspace")["portalId"]
    walk.getPortal(portal=made)
    walk.updatePortal(portal=made, primaryColor="#2563eb", logoUrl="https://example.com/logo.png")
    walk.getPortal(keyspaceId="another-keyspace")
    walk.deletePortal(portal=made)


def usage(walk: Walk) -> None:
    made = walk.createKey(name="Laptop")
    now = walk.listKeys()[0]["createdAt"]
    walk("keys.verifyKey", key=made["key"])
    walk.getVerifications(startTime=now - 3_600_000, endTime=now + 3_600_000)
    walk.getVerifications(startTime=now - 3_600_000, endTime=now + 3_600_000, keyId=made["keyId"])


@pytest.mark.django_db
@pytest.mark.parametrize("code", [code for code in CATALOGUE if code != TOO_MANY])
def test_refusals(code: str) -> None:
    answer = provoke(code)
    status = str(answer.status_code)
    # Such a path, or method, is none of the document's.
    name = {"404": "404.unknown_operation", "405": "405.method_not_allowed"}.get(status, "")
    operation = answer.wsgi_request.path.removeprefix("/v2/")
    if operation not in OPERATIONS or status == "405":
        responses = {status: document()["components"]["responses"][name]}
    else:
        responses = operations()[operation]["responses"]
    assert_answer_is_in_it(responses, answer)


@pytest.mark.parametrize("operation", ["portal.createSession", "portal.exchangeSession", "portal.getSession"])
def test_too_many(call: Callable[..., Any], config: PortalConfig, settings: Any, operation: str) -> None:
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"create_session": "1/min", "failed": "1/min"}}
    bodies = {"portal.createSession": SLUG, "portal.exchangeSession": {"sessionId": "x"}, "portal.getSession": {}}
    # Mints are counted by the key, and of the rest only what fails.
    unknown = {"Authorization": "Bearer pat_" + "0" * 43}
    headers = unknown if operation == "portal.getSession" else caller(operation, config)
    call(operation, bodies[operation], **headers)
    answer = call(operation, bodies[operation], **headers)
    assert answer.status_code == 429
    assert_answer_is_in_it(operations()[operation]["responses"], answer)
