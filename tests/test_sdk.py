"""Unkey's own Python client, unkey-py 3.0.3 as it is installed, against a live server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from unkey.py import Unkey, errors

from portal import slugs, tokens
from portal.models import PortalConfig, PortalSession
from tests.factories import issue_root_key

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

DOCS = "https://unkey.com/docs/errors/"
REQUEST_ID = re.compile(r"req_[A-Za-z0-9]+")
MINT = {"slug": "my-portal", "external_id": "user_123", "permissions": ["api.*.read_key", "api.*.read_analytics"]}


@pytest.fixture
def sdk(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Unkey]]:
    """Return ``sdk(root_key)``, which returns a client that does not retry: a failing test should fail at once."""
    settings.PORTAL = {"BASE_URL": live_server.url}
    monkeypatch.delenv("UNKEY_ROOT_KEY", raising=False)
    with ExitStack() as stack:
        yield lambda root_key=None: stack.enter_context(
            Unkey(root_key=root_key, server_url=live_server.url, retry_config=None)
        )


@pytest.fixture
def backend(sdk: Callable[..., Unkey], config: PortalConfig, root_key: Any) -> Unkey:
    """Return the client of a backend that may mint for ``my-portal``."""
    return sdk(root_key.secret)


def assert_refused(error: Any, status: int, title: str, code: str, detail: str) -> None:
    """Compare what the client parsed, attribute by attribute."""
    assert error.status_code == status
    assert error.data.error.status == status
    assert error.data.error.title == title
    assert error.data.error.type == DOCS + code
    assert error.data.error.detail == detail
    assert REQUEST_ID.fullmatch(error.data.meta.request_id)
    assert error.headers["X-Request-Id"] == error.data.meta.request_id


def locations(error: errors.BadRequestErrorResponse) -> list[str]:
    for finding in error.data.error.errors:
        assert finding.message
    return [finding.location for finding in error.data.error.errors]


def test_is_the_release_that_the_contract_names() -> None:
    assert version("unkey-py") == "3.0.3"


def test_create_session(backend: Unkey, live_server: Any) -> None:
    answer = backend.portal.create_session(**MINT)

    assert REQUEST_ID.fullmatch(answer.result.meta.request_id)
    assert tokens.is_secret(answer.result.data.session_id, tokens.EXCHANGE_CODE)
    url = urlsplit(answer.result.data.url)
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{live_server.url}/my-portal/"
    assert parse_qs(url.query) == {"session": [answer.result.data.session_id]}
    assert answer.headers["cache-control"] == ["no-store, private"]
    row = PortalSession.objects.get()
    assert (row.external_id, row.permissions, row.preview) == ("user_123", MINT["permissions"], False)


def test_create_preview_sessions(backend: Unkey) -> None:
    answers = [backend.portal.create_session(**MINT, preview=True) for _ in range(2)]
    assert answers[0].result.data.session_id != answers[1].result.data.session_id
    assert PortalSession.objects.filter(preview=True).count() == 2


def test_exchange_session(backend: Unkey, sdk: Callable[..., Unkey], live_server: Any) -> None:
    code = backend.portal.create_session(**MINT).result.data.session_id

    # The exchange needs no credential.
    answer = sdk().portal.exchange_session(session_id=code)

    assert REQUEST_ID.fullmatch(answer.result.meta.request_id)
    assert tokens.is_secret(answer.result.data.token, tokens.ACCESS_TOKEN)
    day = 24 * 3600 * 1000
    assert day - 60_000 < answer.result.data.expires_at - time.time() * 1000 <= day
    assert "set-cookie" not in answer.headers
    session = get_session(live_server, answer.result.data.token)
    assert session["externalId"] == "user_123"
    assert session["portal"]["slug"] == "my-portal"
    assert session["permissions"] == MINT["permissions"]
    assert session["capabilities"] == ["keys:read", "analytics:read"]
    assert session["expiresAt"] == answer.result.data.expires_at


def get_session(live_server: Any, token: str) -> dict[str, Any]:
    """Call portal.getSession, which this generation of the client does not know."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(HTTPConnection(live_server.thread.host, live_server.thread.port, timeout=10)) as connection:
        connection.request("POST", "/v2/portal.getSession", b"{}", headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    assert answer.status == 200, body
    return body["data"]


def test_async_client(backend: Unkey) -> None:
    async def mint_and_exchange() -> str:
        async with backend:
            minted = await backend.portal.create_session_async(**MINT)
            exchanged = await backend.portal.exchange_session_async(session_id=minted.result.data.session_id)
            return exchanged.result.data.token

    assert tokens.is_secret(asyncio.run(mint_and_exchange()), tokens.ACCESS_TOKEN)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # Passes the schema; the operation refuses it in the contract's own words and has no findings.
        ({"slug": "my--portal"}, []),
        ({"slug": "-"}, ["body.slug"]),
        ({"external_id": ""}, ["body.externalId"]),
        ({"external_id": "x" * 257}, ["body.externalId"]),
        ({"permissions": []}, ["body.permissions"]),
        ({"permissions": ["api.*.read_key", "keys:write", "a.b"]}, ["body.permissions[1]", "body.permissions[2]"]),
        ({"slug": "UPPER", "external_id": ""}, ["body.slug", "body.externalId"]),
    ],
)
def test_create_session_400(backend: Unkey, change: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(errors.BadRequestErrorResponse) as caught:
        backend.portal.create_session(**{**MINT, **change})

    detail = "POST request body for '/v2/portal.createSession' failed to validate schema" if expected else slugs.RULE
    assert_refused(caught.value, 400, "Bad Request", "unkey/application/invalid_input", detail)
    assert locations(caught.value) == expected


def test_create_session_401_without_a_root_key(sdk: Callable[..., Unkey], config: PortalConfig) -> None:
    with pytest.raises(errors.UnauthorizedErrorResponse) as caught:
        sdk().portal.create_session(**MINT)

    detail = "Authentication credentials were not provided"
    assert_refused(caught.value, 401, "Unauthorized", "unkey/authentication/missing", detail)


@pytest.mark.parametrize("key", ["prk_" + "0" * 43, "unkey_xxxxxxxxxxx"])
def test_create_session_401_with_an_unknown_root_key(sdk: Callable[..., Unkey], config: PortalConfig, key: str) -> None:
    with pytest.raises(errors.UnauthorizedErrorResponse) as caught:
        sdk(key).portal.create_session(**MINT)

    detail = "The provided API key was not found"
    assert_refused(caught.value, 401, "Unauthorized", "unkey/authentication/key_not_found", detail)
    assert key not in caught.value.body


def test_create_session_403_at_a_disabled_portal(backend: Unkey, config: PortalConfig) -> None:
    config.enabled = False
    config.save()

    with pytest.raises(errors.ForbiddenErrorResponse) as caught:
        backend.portal.create_session(**MINT)

    assert_refused(caught.value, 403, "Forbidden", "unkey/authorization/forbidden", "Portal is disabled.")


def test_create_session_403_beyond_the_root_keys_own_permissions(
    sdk: Callable[..., Unkey], config: PortalConfig
) -> None:
    key = issue_root_key(granted=["portal.*.create_portal_session", "keys:read"]).secret

    with pytest.raises(errors.ForbiddenErrorResponse) as caught:
        sdk(key).portal.create_session(**MINT)

    code, detail = "unkey/authorization/insufficient_permissions", "Missing permission: 'analytics:read'"
    assert_refused(caught.value, 403, "Forbidden", code, detail)


def test_create_session_403_with_a_disabled_root_key(backend: Unkey, root_key: Any) -> None:
    root_key.row.disable()

    with pytest.raises(errors.ForbiddenErrorResponse) as caught:
        backend.portal.create_session(**MINT)

    detail = "The API key used for authentication has been disabled"
    assert_refused(caught.value, 403, "Forbidden", "unkey/authorization/key_disabled", detail)


# The second key must not learn that the first slug is a portal's.
@pytest.mark.parametrize(
    ("slug", "grant"),
    [("other", "portal.*.create_portal_session"), ("my-portal", "portal.prt_1.create_portal_session")],
)
def test_create_session_404(sdk: Callable[..., Unkey], config: PortalConfig, slug: str, grant: str) -> None:
    key = issue_root_key(granted=[grant, "keys:read", "analytics:read"]).secret

    with pytest.raises(errors.NotFoundErrorResponse) as caught:
        sdk(key).portal.create_session(**{**MINT, "slug": slug})

    code, detail = "unkey/data/portal_config_not_found", "Portal configuration not found."
    assert_refused(caught.value, 404, "Not Found", code, detail)
    assert slug not in caught.value.body


def test_create_session_500_names_the_setting(backend: Unkey, settings: Any) -> None:
    settings.PORTAL = {}

    with pytest.raises(errors.InternalServerErrorResponse) as caught:
        backend.portal.create_session(**MINT)

    assert caught.value.data.error.type == DOCS + "unkey/application/unexpected_error"
    assert 'PORTAL["BASE_URL"]' in caught.value.data.error.detail


def test_exchange_session_400(sdk: Callable[..., Unkey]) -> None:
    with pytest.raises(errors.BadRequestErrorResponse) as caught:
        sdk().portal.exchange_session(session_id="")

    detail = "POST request body for '/v2/portal.exchangeSession' failed to validate schema"
    assert_refused(caught.value, 400, "Bad Request", "unkey/application/invalid_input", detail)
    assert locations(caught.value) == ["body.sessionId"]


@pytest.mark.parametrize("kind", ["unknown", "used", "revoked"])
def test_exchange_session_401(backend: Unkey, kind: str) -> None:
    code = backend.portal.create_session(**MINT).result.data.session_id
    if kind == "unknown":
        code = tokens.mint(tokens.EXCHANGE_CODE)
    elif kind == "used":
        backend.portal.exchange_session(session_id=code)
    else:
        PortalSession.objects.get().revoke()

    with pytest.raises(errors.UnauthorizedErrorResponse) as caught:
        backend.portal.exchange_session(session_id=code)

    detail = "Session is invalid, expired, or has already been used."
    assert_refused(caught.value, 401, "Unauthorized", "unkey/authentication/portal_session_not_found", detail)
    assert code not in caught.value.body
