"""The portal-authenticated operations, and who counts as signed in (wire contract sections 4 and 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from portal import clock
from portal.models import PortalEvent, PortalSession
from tests.envelopes import assert_answer, assert_refused
from tests.factories import ALL, PortalConfigFactory, mint, sign_in

pytestmark = pytest.mark.django_db

MISSING = "unkey/authentication/portal_token_missing"
NOT_FOUND = "unkey/authentication/portal_session_not_found"
FORBIDDEN = "unkey/authorization/forbidden"
LACKING = "unkey/authorization/insufficient_permissions"
OPERATIONS = ["getSession", "endSession", "listKeys"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_token(api, db, operation):
    answer = api(operation)
    assert_refused(answer, 401, MISSING, "A portal session token is required for this request.")
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("token", ["nonsense", "pat_" + "0" * 43, "pat_" + "0" * 42, "ps_123", "pst_" + "0" * 43])
def test_with_a_bad_token(api, db, operation, token):
    answer = api(operation, token=token)
    assert_refused(answer, 401, NOT_FOUND, "Session is invalid, expired, or has already been used.")
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal", error="invalid_token"'


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "prk_x"])
def test_a_header_that_is_no_bearer_token_is_a_missing_token(client, config, header):
    client.cookies["portal_session"] = sign_in(config).secret
    answer = client.post(
        "/v2/portal.getSession", {}, content_type="application/json", headers={"Authorization": header}
    )
    assert_refused(answer, 401, MISSING)
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'


def test_row_22_a_root_key_is_a_missing_token(api, config, root_key):
    answer = api("getSession", token=root_key.secret)
    assert_refused(answer, 401, MISSING)
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_row_21_bearer_and_cookie_both_count(api, client, config):
    first, second = sign_in(config), sign_in(config, "user_456")
    assert assert_answer(api("getSession", token=first.secret))["data"]["externalId"] == "user_123"
    client.cookies["portal_session"] = second.secret
    assert assert_answer(api("getSession"))["data"]["externalId"] == "user_456"


def test_row_21_the_header_wins_and_never_falls_back(api, client, config):
    client.cookies["portal_session"] = sign_in(config).secret
    assert_refused(api("getSession", token="pat_" + "0" * 43), 401, NOT_FOUND)
    other = sign_in(config, "user_456").secret
    assert assert_answer(api("getSession", token=other))["data"]["externalId"] == "user_456"


@pytest.mark.parametrize(("cookie", "code"), [("", MISSING), ("x", NOT_FOUND), ("pst_" + "0" * 43, NOT_FOUND)])
def test_bad_cookies(api, client, db, cookie, code):
    client.cookies["portal_session"] = cookie
    assert_refused(api("getSession"), 401, code)


def test_the_cookie_can_be_renamed(api, client, config, settings):
    settings.PORTAL = {**settings.PORTAL, "COOKIE_NAME": "__Host-portal_session"}
    client.cookies["__Host-portal_session"] = sign_in(config).secret
    assert_answer(api("getSession"))


def test_get_session_answers_whose_it_is(api, config):
    now = clock.now()
    with clock.using(lambda: now):
        session, token = sign_in(
            config, "user_123", ["api.*.read_key", "analytics:read"], display_name="Ada Wong", preview=True
        )
        data = assert_answer(api("getSession", token=token))["data"]
    assert data == {
        "id": session.public_id,
        "portal": {"id": config.public_id, "slug": "my-portal", "displayName": "Northwind Maps"},
        "externalId": "user_123",
        "displayName": "Ada Wong",
        "permissions": ["api.*.read_key", "analytics:read"],
        "capabilities": ["keys:read", "analytics:read"],
        "preview": True,
        "createdAt": clock.to_milliseconds(now),
        "expiresAt": clock.to_milliseconds(now) + 86_400_000,
    }


def test_get_session_leaves_empty_names_out(api):
    config = PortalConfigFactory(display_name="")
    data = assert_answer(api("getSession", token=sign_in(config).secret))["data"]
    assert "displayName" not in data
    assert "displayName" not in data["portal"]


def test_row_4_a_session_expires_to_the_millisecond(api, config):
    session, token = sign_in(config)
    with clock.using(lambda: session.expires_at - timedelta(milliseconds=1)):
        assert_answer(api("getSession", token=token))
    with clock.using(lambda: session.expires_at):
        assert_refused(api("getSession", token=token), 401, NOT_FOUND)


def test_row_16_end_session_ends_it_on_the_server(api, config):
    session, token = sign_in(config)
    assert assert_answer(api("endSession", token=token))["data"] == {}
    assert_refused(api("getSession", token=token), 401, NOT_FOUND)
    assert_refused(api("endSession", token=token), 401, NOT_FOUND)
    event = PortalEvent.objects.get(kind=PortalEvent.Kind.SESSION_SIGNED_OUT)
    assert (event.session_id, event.external_id, event.address) == (session.public_id, "user_123", "127.0.0.1")


def test_a_preview_may_end_itself(api, config):
    assert_answer(api("endSession", token=sign_in(config, preview=True).secret))


def test_list_keys_needs_its_capability(api, config):
    token = sign_in(config, granted=["keys:create"]).secret
    assert_refused(api("listKeys", token=token), 403, LACKING, "Missing permission: 'keys:read'")


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"limit": 0}, "body.limit"),
        ({"limit": 101}, "body.limit"),
        ({"limit": True}, "body.limit"),
        ({"limit": "10"}, "body.limit"),
        ({"limit": 1.0}, "body.limit"),
        ({"cursor": ""}, "body.cursor"),
        ({"cursor": None}, "body.cursor"),
        ({"externalId": "user_456"}, "body.externalId"),
    ],
)
def test_row_24_list_keys_takes_nothing_else(api, config, body, location):
    token = sign_in(config, granted=["a.b.c"]).secret
    # The body is judged before the permission (design decision 1).
    findings = assert_refused(api("listKeys", body, token=token), 400, "unkey/application/invalid_input")
    assert [finding["location"] for finding in findings] == [location]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://portal.example.com"},
        {"Origin": "http://testserver"},
        {"Origin": "https://app.example.com:8443"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_row_15_a_write_by_cookie_from_here_is_fine(api, client, headers):
    config = PortalConfigFactory(allowed_origins=["https://app.example.com:8443"])
    client.cookies["portal_session"] = sign_in(config).secret
    assert_answer(api("listKeys", **headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://app.example.com"},
        {"Origin": "https://portal.example.com.evil.example"},
        {"Origin": "http://portal.example.com"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_row_15_a_write_by_cookie_from_elsewhere_is_refused(api, client, headers):
    config = PortalConfigFactory(allowed_origins=["https://app.example.com:8443"])
    token = sign_in(config).secret
    client.cookies["portal_session"] = token
    assert_refused(api("endSession", **headers), 403, FORBIDDEN)
    # With the token in the header nothing came along by itself.
    assert_answer(api("endSession", token=token, **headers))


def test_row_15_a_form_by_cookie_is_refused_even_without_an_origin(client, config):
    client.cookies["portal_session"] = sign_in(config).secret
    answer = client.post("/v2/portal.endSession", {"a": "b"})
    assert_refused(answer, 403, FORBIDDEN)
    answer = client.post("/v2/portal.endSession", {"a": "b"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert_refused(answer, 415, "portal/request/unsupported_media_type")
    assert PortalSession.objects.live().count() == 1


def test_a_foreign_host_header_is_not_our_origin(client, config, settings):
    settings.MIDDLEWARE = []
    client.cookies["portal_session"] = sign_in(config).secret
    answer = client.post(
        "/v2/portal.getSession",
        {},
        content_type="application/json",
        headers={"Host": "evil.example", "Origin": "https://evil.example"},
    )
    assert_refused(answer, 403, FORBIDDEN)


@pytest.mark.parametrize("how", ["disabled", "deleted", "re-pointed", "revoked", "revoked for", "root key"])
def test_decision_14_what_ends_sessions(api, config, root_key, how):
    _, token = sign_in(config, minted_by=root_key.row.pk)
    code = mint(config, minted_by=root_key.row.pk).secret
    if how == "disabled":
        config.enabled = False
        config.save()
    elif how == "deleted":
        config.delete()
    elif how == "re-pointed":
        config.keyspace_id = "ks_2"
        config.save()
    elif how == "revoked":
        for session in PortalSession.objects.all():
            assert session.revoke() is True
            assert session.revoke() is False
    elif how == "revoked for":
        assert PortalSession.objects.revoke_for(config, "user_456") == 0
        assert PortalSession.objects.revoke_for(config, "user_123") == 2
    else:
        root_key.row.disable(end_sessions=True)
    for _ in ("now", "after all is back"):
        assert_refused(api("getSession", token=token), 401, NOT_FOUND)
        assert_refused(api("exchangeSession", {"sessionId": code}), 401, NOT_FOUND)
        if how in {"disabled", "re-pointed"}:
            config.enabled, config.keyspace_id = True, "ks_1"
            config.save()


def test_saving_a_portal_otherwise_ends_nothing(api, config):
    token = sign_in(config).secret
    config.display_name = "New name"
    config.save(update_fields=["display_name"])
    data = assert_answer(api("getSession", token=token))["data"]
    assert data["portal"]["displayName"] == "New name"
    config.refresh_from_db()
    assert config.updated_at > config.created_at


def test_disabling_a_root_key_alone_leaves_its_sessions(api, config, root_key):
    token = sign_in(config, minted_by=root_key.row.pk).secret
    root_key.row.disable()
    assert_answer(api("getSession", token=token))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_authentication_is_one_query(api, config, django_assert_num_queries, operation):
    token = sign_in(config, granted=ALL).secret
    more = {
        # It also writes: savepoint, session, savepoint, event, two releases; where rows can be locked, a lock.
        "endSession": 6 + connection.features.has_select_for_update,
        # The portal's policy, and the keys.
        "listKeys": 2,
    }
    with django_assert_num_queries(1 + more.get(operation, 0)):
        assert_answer(api(operation, token=token))
