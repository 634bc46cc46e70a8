"""Who may read the API's answers from a page of another origin (design decision 9, security row 41)."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, sign_in

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com"
OTHER = "https://other.example.com:8443"
CORS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers")


@pytest.fixture
def config(db):
    PortalConfigFactory(slug="other-portal", allowed_origins=[OTHER])
    PortalConfigFactory(slug="closed-portal", allowed_origins=["https://closed.example.com"], enabled=False)
    return PortalConfigFactory(slug="my-portal", allowed_origins=[SHOP])


def preflight(client, operation="listKeys", origin=SHOP, **headers):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
    return client.options(f"/v2/portal.{operation}", headers=headers)


def allowed(response):
    return response.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize("operation", ["listKeys", "getSession", "endSession", "exchangeSession", "unknown"])
def test_a_preflight_from_a_listed_origin(client, config, operation):
    answer = preflight(client, operation)
    if operation == "unknown":
        assert_refused(answer, 404, "portal/request/unknown_operation")
    else:
        assert (answer.status_code, answer.content) == (204, b"")
        # Of nothing there is no type.
        assert "Content-Type" not in answer
    assert allowed(answer) == SHOP
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert answer["Access-Control-Allow-Methods"] == "POST"
    assert answer["Access-Control-Allow-Headers"] == "Authorization, Content-Type, Idempotency-Key"
    assert answer["Access-Control-Max-Age"] == "600"
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "*",
        "https://evil.example",
        "https://shop.example.com.evil.example",
        "https://evilshop.example.com",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://SHOP.example.com",
        "https://closed.example.com",
        "https://shop.example.com/",
    ],
)
def test_row_41_any_other_origin_is_closed(client, config, origin):
    answer = preflight(client, origin=origin)
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert "Origin" in answer["Vary"]
    answer = client.post("/v2/portal.listKeys", {}, content_type="application/json", headers={"Origin": origin})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert "Origin" in answer["Vary"]


def test_row_41_create_session_is_for_backends(client, config):
    answer = preflight(client, "createSession")
    assert_refused(answer, 405, "portal/request/method_not_allowed")
    assert not any(name in answer for name in CORS)
    answer = client.post("/v2/portal.createSession", {}, content_type="application/json", headers={"Origin": SHOP})
    assert not any(name in answer for name in CORS)


def test_options_without_a_preflights_headers_is_405(client, config):
    assert client.options("/v2/portal.listKeys", headers={"Origin": SHOP}).status_code == 405
    headers = {"Access-Control-Request-Method": "POST"}
    assert client.options("/v2/portal.listKeys", headers=headers).status_code == 405


def test_row_41_an_answer_is_readable_where_the_sessions_own_portal_lists_the_origin(client, config, api):
    client.cookies["portal_session"] = sign_in(config).secret
    answer = api("listKeys", Origin=SHOP)
    assert_answer(answer)
    assert allowed(answer) == SHOP
    assert "X-Request-Id" in answer["Access-Control-Expose-Headers"]
    # Listed by another portal: the answer is nobody's business there, and the write by cookie is refused.
    answer = api("listKeys", Origin=OTHER)
    assert answer.status_code == 403
    assert not any(name in answer for name in CORS)
    assert "Origin" in answer["Vary"]
    token = sign_in(config).secret
    answer = api("listKeys", token=token, Origin=OTHER)
    assert answer.status_code == 200
    assert allowed(answer) is None


@pytest.mark.parametrize("origin", [SHOP, OTHER])
def test_answers_without_a_session_are_readable_where_any_portal_lists_the_origin(client, config, api, origin):
    for answer in (
        api("listKeys", Origin=origin),
        api("listKeys", token="pat_" + "0" * 43, Origin=origin),
        api("exchangeSession", {"sessionId": "x"}, Origin=origin),
        client.get("/v2/portal.listKeys", headers={"Origin": origin}),
        client.generic("POST", "/v2/portal.listKeys", b"{}", CONTENT_LENGTH="999999", headers={"Origin": origin}),
    ):
        assert answer.status_code >= 400
        assert allowed(answer) == origin


def test_without_an_origin_nothing_is_asked(client, config, api, django_assert_num_queries):
    token = sign_in(config).secret
    with django_assert_num_queries(1):
        answer = api("getSession", token=token)
    assert not any(name in answer for name in CORS)
    assert "Origin" in answer["Vary"]


def test_while_the_database_is_away_nobody_is_listed(client, config, api, database_away):
    with database_away(OperationalError("gone")):
        answer = api("listKeys", token="pat_" + "0" * 43, Origin=SHOP)
    assert answer.status_code == 503
    assert allowed(answer) is None
