"""Minting and exchanging with every client, each in its own dialect (wire contract sections 2 and 3)."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from portal import clock, slugs, tokens
from portal.models import PortalConfig, PortalSession
from tests.factories import issue_root_key

from .clients import CAPABILITIES, NEWER, OLDER, PY, TUPLES, clients, newer, older
from .conftest import Sdk
from .outcomes import INVALID

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600 * 1000


@clients()
def test_is_the_release_that_the_contract_names(sdk: Sdk, key: str) -> None:
    (exchange,) = sdk.mint(key).exchanges
    language = "python" if sdk.client.name == PY else "typescript"
    assert exchange["sent"]["user-agent"].startswith(f"speakeasy-sdk/{language} {sdk.client.version} ")


@clients()
def test_has_no_other_operations(sdk: Sdk) -> None:
    """What a client has is in the table, so it is tested here; an operation that a release brings makes this fail."""
    assert sorted(sdk.operations()) == sorted([*sdk.client.operations, *sdk.client.unsendable])


@clients()
def test_create_session(sdk: Sdk, key: str) -> None:
    data = sdk.mint(key).data

    url = urlsplit(data["url"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{sdk.server_url}/my-portal/"
    assert set(parse_qs(url.query)) == {sdk.dialect.parameter}
    code = sdk.code_of(data)
    assert tokens.is_secret(code, tokens.EXCHANGE_CODE)
    row = PortalSession.objects.get()
    assert (row.external_id, row.permissions, row.preview) == ("user_123", [*sdk.client.grants], False)
    # The older id is the credential; the newer one opens nothing.
    name, id_ = ("sessionId", code) if sdk.dialect is OLDER else ("id", row.public_id)
    assert data == {name: id_, "url": data["url"]}


@clients()
def test_create_session_each_call_makes_another(sdk: Sdk, key: str) -> None:
    codes = {sdk.code_of(sdk.mint(key).data) for _ in range(2)}
    assert len(codes) == PortalSession.objects.count() == 2


@clients(lambda client: client.preview)
def test_create_session_preview(sdk: Sdk, key: str) -> None:
    assert sdk.mint(key, preview=True).data
    assert PortalSession.objects.get().preview


@clients(newer)
def test_create_session_return_url(sdk: Sdk, key: str) -> None:
    assert sdk.mint(key, returnUrl="https://app.example.com/plan").data
    assert PortalSession.objects.get().return_url == "https://app.example.com/plan"


@clients(newer)
def test_create_session_names_the_portal_by_id_too(sdk: Sdk, key: str, config: PortalConfig) -> None:
    assert sdk.mint(key, name=config.public_id).data
    assert PortalSession.objects.get().config == config


@clients()
def test_exchange(sdk: Sdk, key: str, api: Any) -> None:
    code = sdk.code_of(sdk.mint(key).data)

    data = sdk.exchange(code).data

    token = data[sdk.dialect.token]
    assert set(data) == {sdk.dialect.token, "expiresAt"}
    assert tokens.is_secret(token, tokens.ACCESS_TOKEN)
    assert type(data["expiresAt"]) is int
    assert DAY - 60_000 < data["expiresAt"] - time.time() * 1000 <= DAY
    # getSession is ours, so no client has it.
    session = api("getSession", token=token).json()["data"]
    assert session["externalId"] == "user_123"
    assert session["portal"]["slug"] == "my-portal"
    assert session["permissions"] == [*sdk.client.grants]
    assert session["capabilities"] == CAPABILITIES
    assert session["expiresAt"] == data["expiresAt"]


@clients()
def test_exchange_sends_no_credential(sdk: Sdk, key: str) -> None:
    code = sdk.code_of(sdk.mint(key).data)
    (exchange,) = sdk(sdk.dialect.exchange, {sdk.dialect.code: code}, key=key).exchanges
    assert "authorization" not in exchange["sent"]
    assert exchange["status"] == 200


@clients(lambda client: client.name == PY)
def test_asynchronous(sdk: Sdk, key: str) -> None:
    code = sdk.code_of(sdk.mint(key, "createSessionAsync").data)
    token = sdk.exchange(code, "Async").data[sdk.dialect.token]
    assert tokens.is_secret(token, tokens.ACCESS_TOKEN)


#: What is wrong with a body, and the members where the answer says so; the words are the caller's.
WRONG = [
    ({"name": "-"}, ["name"]),
    ({"externalId": ""}, ["externalId"]),
    ({"externalId": "x" * 257}, ["externalId"]),
    ({"grants": []}, ["grants"]),
    ({"name": "%%%", "externalId": ""}, ["name", "externalId"]),
]


@clients()
def test_create_session_400(sdk: Sdk, key: str) -> None:
    words = {"name": sdk.dialect.name, "grants": sdk.dialect.grants}
    detail = "POST request body for '/v2/portal.createSession' failed to validate schema"
    for changes, places in WRONG:
        outcome = sdk.mint(key, **changes)
        locations = outcome.assert_error("BadRequestErrorResponse", 400, INVALID, detail)
        assert sorted(locations) == sorted(f"body.{words.get(place, place)}" for place in places), changes


@clients(older)
def test_create_session_400_without_findings(sdk: Sdk, key: str) -> None:
    """The name passes the schema; the operation refuses it in the contract's own words."""
    outcome = sdk.mint(key, name="my--portal")
    assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID, slugs.RULE) == []
    assert json.loads(outcome.exchanges[0]["body"])["error"]["errors"] == []


@clients(newer)
def test_create_session_404_for_a_name_that_can_be_nobodys(sdk: Sdk, key: str) -> None:
    for name in ("my--portal", "My-Portal", "-portal"):
        sdk.mint(key, name=name).assert_error("NotFoundErrorResponse", 404, *sdk.dialect.unknown)


@clients(newer)
def test_create_session_400_for_a_grant_that_needs_another(sdk: Sdk, key: str) -> None:
    outcome = sdk.mint(key, grants=["keys:reroll", "analytics:read"])
    assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID) == ["body.scopes"]


@clients(newer)
def test_create_session_400_for_a_foreign_return_url(sdk: Sdk, key: str) -> None:
    outcome = sdk.mint(key, returnUrl="https://evil.example.com/")
    assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID) == ["body.returnUrl"]


@clients(lambda client: not client.checks_grants)
def test_create_session_400_for_unknown_grants(sdk: Sdk, key: str) -> None:
    outcome = sdk.mint(key, grants=["api.*.read_key", "keys:write", "a.b"])
    locations = outcome.assert_error("BadRequestErrorResponse", 400, INVALID)
    assert locations == ["body.permissions[1]", "body.permissions[2]"]


@clients(lambda client: client.checks_grants)
def test_create_session_with_a_grant_that_the_client_does_not_know(sdk: Sdk, key: str) -> None:
    """From the second generation on the vocabulary is closed: a tuple and our own capabilities never leave the client."""
    refused = "ValidationError" if sdk.client.name == PY else "SDKValidationError"
    for grant in (TUPLES[0], "keys:update"):
        assert grant in sdk.mint(key, grants=[grant]).assert_refused_by_client(refused)


@clients()
def test_create_session_403(sdk: Sdk, key: str, config: PortalConfig, root_key: Any) -> None:
    weak = issue_root_key(granted=["portal.*.create_portal_session", "keys:read"]).secret
    lacking = {
        OLDER: "Missing permission: 'analytics:read'",
        NEWER: 'You do not have permission to grant the "analytics:read" scope to a portal session.',
    }
    code, detail = "unkey/authorization/insufficient_permissions", lacking[sdk.dialect]
    sdk.mint(weak).assert_error("ForbiddenErrorResponse", 403, code, detail)

    config.enabled = False
    config.save()
    sdk.mint(key).assert_error("ForbiddenErrorResponse", 403, "unkey/authorization/forbidden", "Portal is disabled.")

    root_key.row.disable()
    code, detail = "unkey/authorization/key_disabled", "The API key used for authentication has been disabled"
    sdk.mint(key).assert_error("ForbiddenErrorResponse", 403, code, detail)


@clients()
def test_create_session_404(sdk: Sdk, config: PortalConfig, root_key: Any) -> None:
    # The second key must not learn that the first name is a portal's.
    foreign = issue_root_key(granted=["portal.prt_1.create_portal_session", *CAPABILITIES]).secret
    for key, name in ((root_key.secret, "other"), (foreign, "my-portal")):
        outcome = sdk.mint(key, name=name)
        outcome.assert_error("NotFoundErrorResponse", 404, *sdk.dialect.unknown)
        assert name not in outcome.exchanges[0]["body"]


@clients()
def test_create_session_413_is_an_error_that_no_client_knows(sdk: Sdk, key: str) -> None:
    outcome = sdk.mint(key, externalId="x" * 262_144)
    outcome.assert_general_error(413, "user/bad_request/request_body_too_large")
    assert json.loads(outcome.exchanges[0]["body"])["error"]["errors"] == []


@clients()
def test_create_session_429(sdk: Sdk, key: str, settings: Any) -> None:
    settings.PORTAL = {**settings.PORTAL, "THROTTLE_RATES": {"create_session": "1/day"}}
    assert sdk.mint(key).data
    outcome = sdk.mint(key)
    code = "user/too_many_requests/workspace_rate_limited"
    detail = "This workspace has exceeded its API rate limit of 1/day. Please try again later."
    outcome.assert_error("TooManyRequestsErrorResponse", 429, code, detail)


@clients()
def test_create_session_500_names_the_setting(sdk: Sdk, key: str, settings: Any) -> None:
    settings.PORTAL = {}
    outcome = sdk.mint(key)
    outcome.assert_error("InternalServerErrorResponse", 500, "unkey/application/unexpected_error")
    assert outcome.error is not None
    assert 'PORTAL["BASE_URL"]' in outcome.error["error"]["detail"]


@clients()
def test_exchange_401(sdk: Sdk, key: str) -> None:
    """Unknown, used, revoked and expired codes are told apart by nobody."""
    rows, codes = {}, {"unknown": tokens.mint(tokens.EXCHANGE_CODE)}
    for kind in ("used", "revoked", "expired"):
        codes[kind] = sdk.code_of(sdk.mint(key, externalId=kind).data)
        rows[kind] = PortalSession.objects.filter(external_id=kind)
    assert sdk.exchange(codes["used"]).data
    rows["revoked"].get().revoke()
    rows["expired"].update(code_expires_at=clock.now())

    name = "unkey/authentication/portal_session_not_found"
    detail = "Session is invalid, expired, or has already been used."
    for code in codes.values():
        outcome = sdk.exchange(code)
        outcome.assert_error("UnauthorizedErrorResponse", 401, name, detail)
        assert code not in outcome.exchanges[0]["body"]
