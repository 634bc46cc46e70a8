"""Unkey's own JavaScript client, @unkey/api 2.5.0 as it is published, against a live server; needs node and npm."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portal import clock, tokens
from portal.contrib.keys.models import ApiKey
from portal.models import PortalConfig, PortalEvent
from tests.factories import PortalConfigFactory, issue_root_key, sign_in

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(__file__).parent / "sdk_js"
WANTED = json.loads((FOLDER / "package.json").read_text())["dependencies"]
DOCS = "https://unkey.com/docs/errors/"
OURS = "/errors/"
HOUR = 3_600_000


def installed() -> dict[str, str]:
    """Return the versions of the packages that are there."""
    found = {}
    for name in WANTED:
        package = FOLDER / "node_modules" / name / "package.json"
        if package.is_file():
            found[name] = json.loads(package.read_text())["version"]
    return found


@pytest.fixture(scope="session")
def node() -> str:
    """Return the path of node, with the client installed beside the script."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail("Node.js is missing: apt-get install nodejs npm, or leave out tests/test_sdk_js.py.", pytrace=False)
    if installed() != WANTED:
        options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
        done = subprocess.run(
            [npm, "install", *options], cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
    return node


@pytest.fixture
def config(db: None, settings: Any, live_server: Any) -> PortalConfig:
    settings.PORTAL = {"BASE_URL": live_server.url}
    return PortalConfigFactory(slug="my-portal", key_permissions=["maps.read"])


@pytest.fixture
def token(config: PortalConfig) -> str:
    """Return what the portal's cookie holds, for a user who may do everything."""
    return sign_in(config).secret


@pytest.fixture
def call(node: str, live_server: Any) -> Callable[..., list[dict[str, Any]]]:
    """Return ``call((operation, cookie, request), …)``, which returns what the client made of each answer."""

    def run(*calls: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
        wanted = [dict(zip(("operation", "cookie", "request"), each, strict=True)) for each in calls]
        done = subprocess.run(
            [node, "call.mjs"],
            cwd=FOLDER,
            input=json.dumps({"serverURL": live_server.url, "calls": wanted}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcomes: list[dict[str, Any]] = json.loads(done.stdout)
        return outcomes

    return run


@pytest.fixture
def create(client: Any, token: str) -> Callable[..., dict[str, Any]]:
    """Return ``create(name, **members)``, which makes a key and returns ``keyId`` and ``key``."""

    def make(name: str = "Laptop", **members: Any) -> dict[str, Any]:
        answer = client.post(
            "/v2/portal.createKey",
            {"name": name, **members},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.content
        data: dict[str, Any] = answer.json()["data"]
        return data

    return make


def assert_refused(outcome: dict[str, Any], name: str, status: int, code: str, detail: str) -> dict[str, Any]:
    """Assert the client's typed error, attribute by attribute, and return what it read."""
    error: dict[str, Any] = outcome["error"]
    assert (error["name"], error["statusCode"]) == (name, status)
    assert error["error"]["status"] == status
    assert error["error"]["type"].endswith(OURS + code)
    assert error["error"]["detail"] == detail
    assert re.fullmatch(r"req_[A-Za-z0-9]+", error["meta"]["requestId"])
    return error


def test_is_the_release_that_the_contract_names(node: str) -> None:
    assert installed()["@unkey/api"] == WANTED["@unkey/api"] == "2.5.0"


def test_list_keys(call: Callable[..., Any], create: Callable[..., Any], token: str) -> None:
    now = clock.now()
    with clock.using(lambda: now):
        plain, full = create("Plain"), create("Full", permissions=["maps.read"])
    ApiKey.objects.filter(name="Full").update(
        last_used_at=now, updated_at=now, metadata={"plan": "pro"}, rate_limit=100, rate_limit_seconds=60
    )
    ApiKey.objects.filter(name="Plain").update(expires_at=None, enabled=False)

    (outcome,) = call(("listKeys", token, {}))

    (page,) = outcome["result"]
    assert re.fullmatch(r"req_[A-Za-z0-9]+", page["meta"]["requestId"])
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


def test_list_keys_page_by_page(call: Callable[..., Any], create: Callable[..., Any], token: str) -> None:
    made = {create(f"Key {number}")["keyId"] for number in range(5)}

    (outcome,) = call(("listKeys", token, {"limit": 2}))

    # The client's own iterator follows the cursors.
    pages = outcome["result"]
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert [page["pagination"]["hasMore"] for page in pages] == [True, True, False]
    walked = [key["keyId"] for page in pages for key in page["data"]]
    assert set(walked) == made
    assert len(walked) == len(made)


def test_list_keys_of_somebody_without_any(call: Callable[..., Any], config: PortalConfig) -> None:
    (outcome,) = call(("listKeys", sign_in(config, "user_456").secret, {}))
    (page,) = outcome["result"]
    assert (page["data"], page["pagination"]) == ([], {"hasMore": False})


def test_reroll_key(call: Callable[..., Any], create: Callable[..., Any], token: str) -> None:
    made = create()

    (outcome,) = call(("rerollKey", token, {"keyId": made["keyId"], "expiration": HOUR}))

    data = outcome["result"]["data"]
    assert data["keyId"] == made["keyId"]
    assert data["key"] != made["key"]
    assert tokens.is_api_key(data["key"])
    assert ApiKey.objects.get().start == tokens.api_key_start(data["key"])
    event = PortalEvent.objects.get(kind="key.rotated")
    assert clock.to_milliseconds(event.created_at) + HOUR - event.detail["old_secret_ends"] in range(1000)


def test_400(call: Callable[..., Any], token: str) -> None:
    bad = (
        ("listKeys", {"limit": 101}, "body.limit"),
        ("listKeys", {"cursor": ""}, "body.cursor"),
        ("rerollKey", {"keyId": "key-1", "expiration": 0}, "body.keyId"),
        ("rerollKey", {"keyId": "key_1", "expiration": -1}, "body.expiration"),
    )
    outcomes = call(*((operation, token, request) for operation, request, _ in bad))
    for outcome, (operation, _, location) in zip(outcomes, bad, strict=True):
        detail = f"POST request body for '/v2/portal.{operation}' failed to validate schema"
        error = assert_refused(outcome, "BadRequestErrorResponse", 400, "unkey/application/invalid_input", detail)
        (finding,) = error["error"]["errors"]
        assert finding["location"] == location
        assert finding["message"]


def test_400_beyond_the_portals_policy(
    call: Callable[..., Any], config: PortalConfig, create: Callable[..., Any], token: str
) -> None:
    PortalConfig.objects.update(key_grace_periods=[0, 900])
    (outcome,) = call(("rerollKey", token, {"keyId": create()["keyId"], "expiration": HOUR}))
    detail = "The request asks for what this portal does not allow."
    error = assert_refused(outcome, "BadRequestErrorResponse", 400, "unkey/application/invalid_input", detail)
    assert [finding["location"] for finding in error["error"]["errors"]] == ["body.expiration"]


@pytest.mark.parametrize("operation", ["listKeys", "rerollKey"])
def test_401(call: Callable[..., Any], config: PortalConfig, create: Callable[..., Any], operation: str) -> None:
    request = {} if operation == "listKeys" else {"keyId": create()["keyId"], "expiration": 0}
    session, ended = sign_in(config)
    session.revoke()
    unknown, root_key = tokens.mint(tokens.ACCESS_TOKEN), issue_root_key().secret
    outcomes = call(*((operation, cookie, request) for cookie in (unknown, ended, root_key, "")))
    detail = "Session is invalid, expired, or has already been used."
    for outcome in outcomes[:2]:
        code = "unkey/authentication/portal_session_not_found"
        assert_refused(outcome, "UnauthorizedErrorResponse", 401, code, detail)
    detail = "A portal session token is required for this request."
    for outcome in outcomes[2:]:
        code = "unkey/authentication/portal_token_missing"
        assert_refused(outcome, "UnauthorizedErrorResponse", 401, code, detail)


def test_403(call: Callable[..., Any], config: PortalConfig, create: Callable[..., Any]) -> None:
    reroll = {"keyId": create()["keyId"], "expiration": 0}
    outcomes = call(
        ("listKeys", sign_in(config, granted=["keys:reroll"]).secret, {}),
        ("rerollKey", sign_in(config, granted=["keys:read"]).secret, reroll),
        ("rerollKey", sign_in(config, preview=True).secret, reroll),
    )
    for outcome, capability in zip(outcomes, ("keys:read", "keys:reroll"), strict=False):
        code, detail = "unkey/authorization/insufficient_permissions", f"Missing permission: '{capability}'"
        assert_refused(outcome, "ForbiddenErrorResponse", 403, code, detail)
    assert outcomes[2]["error"]["name"] == "ForbiddenErrorResponse"
    assert outcomes[2]["error"]["error"]["type"] == f"{DOCS}unkey/authorization/forbidden"


def test_403_for_a_key_that_an_operator_locked(
    call: Callable[..., Any], create: Callable[..., Any], token: str
) -> None:
    made = create()
    ApiKey.objects.update(locked=True)
    (outcome,) = call(("rerollKey", token, {"keyId": made["keyId"], "expiration": 0}))
    detail = "The operator locked this key. Ask them to unlock it."
    assert_refused(outcome, "ForbiddenErrorResponse", 403, "portal/keys/locked", detail)


def test_404(call: Callable[..., Any], config: PortalConfig, create: Callable[..., Any], token: str) -> None:
    foreign = create()["keyId"]
    somebody_else = sign_in(config, "user_456").secret
    outcomes = call(
        ("rerollKey", somebody_else, {"keyId": foreign, "expiration": 0}),
        ("rerollKey", token, {"keyId": "key_" + "0" * 22, "expiration": 0}),
    )
    detail = "The specified key was not found."
    for outcome in outcomes:
        assert_refused(outcome, "NotFoundErrorResponse", 404, "unkey/data/key_not_found", detail)


def test_409_is_an_error_that_the_client_does_not_know(
    call: Callable[..., Any], create: Callable[..., Any], token: str
) -> None:
    made = create()
    ApiKey.objects.update(enabled=False)
    (outcome,) = call(("rerollKey", token, {"keyId": made["keyId"], "expiration": 0}))
    # Undeclared before the fourth generation: the general class, with status and body.
    assert (outcome["error"]["name"], outcome["error"]["statusCode"]) == ("APIError", 409)
    assert "portal/keys/not_active" in outcome["error"]["message"]
