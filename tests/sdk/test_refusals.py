"""Every refusal of every operation, read by every client that has the operation as the class that it declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from portal import tokens
from portal.models import PortalConfig
from tests.factories import issue_root_key, sign_in

from .clients import KEYS, Client, clients
from .conftest import Sdk
from .outcomes import INVALID, Outcome

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

CODE = tokens.mint(tokens.EXCHANGE_CODE)
TARGET = {"portal": "my-portal"}

#: A request that would do, and what to change so that it does not, by operation.
REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "exchangeSession": ({"sessionId": CODE}, {"sessionId": ""}),
    "exchangeCode": ({"code": CODE}, {"code": ""}),
    "listKeys": ({}, {"limit": 101}),
    "rerollKey": ({"keyId": "key_1", "expiration": 0}, {"keyId": "key-1"}),
    "getVerifications": ({"startTime": 0, "endTime": 1}, {"keyId": "key-1"}),
    "createPortal": ({"slug": "other", "displayName": "Other", "keyspaceId": "ks_2"}, {"displayName": ""}),
    "getPortal": (TARGET, {"portal": "-"}),
    "updatePortal": ({**TARGET, "displayName": "New"}, {"displayName": ""}),
    "deletePortal": (TARGET, {"portal": "-"}),
    "listSessions": (TARGET, {"limit": 101}),
    "revokeSession": ({**TARGET, "externalId": "user_123"}, {"externalId": ""}),
}


def good(client: Client, operation: str) -> dict[str, Any]:
    return client.mint() if operation == "createSession" else REQUESTS[operation][0]


def bad(operation: str) -> dict[str, Any]:
    return {"externalId": ""} if operation == "createSession" else REQUESTS[operation][1]


def each(sdk: Sdk, credentials: Callable[[str], str | None], changes: Any = lambda operation: {}) -> Any:
    """Call every operation of the client and yield the operation and what came of it.

    ``credentials`` is given ``key``, ``cookie`` or ``none``: what the operation asks for.
    """
    for operation in sdk.client.operations:
        request = {**good(sdk.client, operation), **changes(operation)}
        if operation in KEYS:
            yield operation, sdk(operation, request, cookie=credentials("cookie"))
        elif operation.startswith("exchange"):
            yield operation, sdk(operation, request)
        else:
            yield operation, sdk(operation, request, key=credentials("key"))


@pytest.fixture
def everything(config: PortalConfig) -> Callable[[str], str]:
    """Return what opens everything: ``*`` as a root key's permissions, and a session with all capabilities."""
    held = {"key": issue_root_key(granted=["*"]).secret, "cookie": sign_in(config).secret}
    return lambda kind: held[kind]


@clients()
def test_400(sdk: Sdk, everything: Any) -> None:
    for operation, outcome in each(sdk, everything, bad):
        detail = f"POST request body for '/v2/portal.{operation}' failed to validate schema"
        locations = outcome.assert_error("BadRequestErrorResponse", 400, INVALID, detail)
        assert locations == [f"body.{member}" for member in bad(operation)]


@clients()
def test_401_without_a_credential(sdk: Sdk, config: PortalConfig) -> None:
    for operation, outcome in each(sdk, lambda kind: "" if kind == "cookie" else None):
        if operation in KEYS:
            code = "unkey/authentication/portal_token_missing"
            detail = "A portal session token is required for this request."
        elif operation.startswith("exchange"):
            continue
        else:
            code, detail = "unkey/authentication/missing", "Authentication credentials were not provided"
        outcome.assert_error("UnauthorizedErrorResponse", 401, code, detail)


UNKNOWN = {"key": "prk_" + "0" * 43, "cookie": "pat_" + "0" * 43}


@clients()
def test_401_with_an_unknown_credential(sdk: Sdk, config: PortalConfig) -> None:
    for operation, outcome in each(sdk, lambda kind: UNKNOWN[kind]):
        if operation in KEYS or operation.startswith("exchange"):
            code = "unkey/authentication/portal_session_not_found"
            detail = "Session is invalid, expired, or has already been used."
        else:
            code, detail = "unkey/authentication/key_not_found", "The provided API key was not found"
        outcome.assert_error("UnauthorizedErrorResponse", 401, code, detail)
        assert not any(secret in outcome.exchanges[0]["body"] for secret in (CODE, *UNKNOWN.values()))


@clients()
def test_429(sdk: Sdk, config: PortalConfig, settings: Any) -> None:
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"failed": "1/day"}}
    sdk.exchange(CODE)
    detail = "This workspace has exceeded its API rate limit of 1/day. Please try again later."
    for _, outcome in each(sdk, lambda kind: UNKNOWN[kind]):
        code = "user/too_many_requests/workspace_rate_limited"
        outcome.assert_error("TooManyRequestsErrorResponse", 429, code, detail)
        headers = outcome.exchanges[0]["headers"]
        assert 1 <= int(headers["retry-after"]) == int(headers["ratelimit-reset"]) <= 86_400
        assert (headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("1", "0")


@clients()
def test_500(sdk: Sdk, everything: Any, database_fails: Any) -> None:
    with database_fails(RuntimeError("broken")):
        outcomes = list(each(sdk, everything))
    for _, outcome in outcomes:
        code, detail = "unkey/application/unexpected_error", "An internal error occurred."
        outcome.assert_error("InternalServerErrorResponse", 500, code, detail)


@clients()
def test_503_is_an_error_that_no_client_knows(sdk: Sdk, everything: Any, database_fails: Any) -> None:
    with database_fails(OperationalError("away")):
        outcomes: list[tuple[str, Outcome]] = list(each(sdk, everything))
    for _, outcome in outcomes:
        outcome.assert_general_error(503, "unkey/application/service_unavailable")
        assert outcome.exchanges[0]["headers"]["retry-after"] == "2"
