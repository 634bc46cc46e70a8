"""The newer dialect of minting and exchanging (wire contract sections 2, 3 and 8), and both on one server."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection

from portal import tokens
from portal.models import PortalEvent, PortalSession
from portal.permissions import CAPABILITIES
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, issue_root_key, mint

pytestmark = pytest.mark.django_db

BODY = {"portal": "my-portal", "externalId": "user_123", "scopes": ["keys:read"]}
OLDER = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
INVALID = "unkey/application/invalid_input"
NOT_FOUND = "unkey/data/portal_not_found"


def code_in(url: str) -> str:
    (code,) = parse_qs(urlsplit(url).query)["code"]
    return code


def test_answers_an_id_that_is_no_credential_and_a_link(api, config, root_key):
    data = assert_answer(api("createSession", BODY, token=root_key.secret))["data"]
    session = PortalSession.objects.get()
    assert set(data) == {"id", "url"}
    assert data["id"] == session.public_id
    assert data["url"] == f"https://portal.example.com/my-portal/?code={code_in(data['url'])}"
    assert tokens.digest(code_in(data["url"])) == bytes(session.code_hash)
    assert_refused(api("exchangeCode", {"code": data["id"]}), 401, "unkey/authentication/portal_session_not_found")


def test_stores_the_scopes_as_given(api, config, root_key):
    body = {**BODY, "scopes": ["analytics:read", "keys:read"], "preview": True, "returnUrl": "https://app.example.com/"}
    assert_answer(api("createSession", body, token=root_key.secret))
    session = PortalSession.objects.get()
    assert session.permissions == ["analytics:read", "keys:read"]
    assert session.capabilities == "keys:read analytics:read"
    assert (session.preview, session.return_url) == (True, "https://app.example.com/")


def test_all_six_capabilities_are_scopes(api, config, root_key):
    assert_answer(api("createSession", {**BODY, "scopes": list(CAPABILITIES)}, token=root_key.secret))
    assert PortalSession.objects.get().capabilities == " ".join(CAPABILITIES)


def test_a_portal_is_named_by_its_id_too(api, config, root_key):
    PortalConfigFactory()
    assert_answer(api("createSession", {**BODY, "portal": config.public_id}, token=root_key.secret))
    assert PortalSession.objects.get().config == config


def test_a_slug_is_no_id_and_an_id_no_slug(api, config, root_key):
    answer = api("createSession", {**OLDER, "slug": config.public_id.lower()}, token=root_key.secret)
    assert assert_refused(answer, 400, INVALID)[0]["location"] == "body.slug"


@pytest.mark.parametrize("name", ["elsewhere", "My-Portal", "-portal", "my--portal", "prt_0000", "prt_", "a" * 255])
def test_row_44_an_unknown_portal_is_404_whatever_it_looks_like(api, config, root_key, name):
    answer = api("createSession", {**BODY, "portal": name}, token=root_key.secret)
    assert_refused(answer, 404, NOT_FOUND, "Portal not found.")
    assert name not in answer.content.decode()


def test_row_44_so_is_one_that_the_key_may_not_mint_for(api, config):
    other = PortalConfigFactory()
    key = issue_root_key(granted=[f"portal.{other.public_id}.create_portal_session", *CAPABILITIES]).secret
    for name in (config.slug, config.public_id):
        assert_refused(api("createSession", {**BODY, "portal": name}, token=key), 404, NOT_FOUND)
    assert_answer(api("createSession", {**BODY, "portal": other.public_id}, token=key))


def test_row_23_a_scope_beyond_the_root_keys_own_is_named_in_the_dialects_words(api, config):
    key = issue_root_key(granted=["portal.*.create_portal_session", "keys:read"]).secret
    answer = api("createSession", {**BODY, "scopes": ["keys:read", "keys:reroll"]}, token=key)
    text = 'You do not have permission to grant the "keys:reroll" scope to a portal session.'
    assert_refused(answer, 403, "unkey/authorization/insufficient_permissions", text)
    assert not PortalSession.objects.exists()


@pytest.mark.parametrize(("body", "code"), [(BODY, NOT_FOUND), (OLDER, "unkey/data/portal_config_not_found")])
def test_a_portal_deleted_meanwhile_is_not_found_in_the_dialects_words(api, config, root_key, body, code):
    def delete_first(execute, sql, *arguments):
        if "INSERT INTO" in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute("DELETE FROM portal_portalconfig")
        return execute(sql, *arguments)

    with connection.execute_wrapper(delete_first):
        assert_refused(api("createSession", body, token=root_key.secret), 404, code)


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"portal": "ab"}, "body.portal"),
        ({"portal": "a" * 256}, "body.portal"),
        ({"portal": "my portal"}, "body.portal"),
        ({"portal": "my-portal\n"}, "body.portal"),
        ({"portal": "pörtal"}, "body.portal"),
        ({"scopes": []}, "body.scopes"),
        ({"scopes": ["api.*.read_key"]}, "body.scopes[0]"),
        ({"scopes": ["keys:read", "keys:fly"]}, "body.scopes[1]"),
        ({"scopes": ["keys:reroll"]}, "body.scopes"),
        ({"scopes": ["keys:create", "analytics:read"]}, "body.scopes"),
    ],
)
def test_row_25_bad_members_are_named(api, config, root_key, change, location):
    findings = assert_refused(api("createSession", {**BODY, **change}, token=root_key.secret), 400, INVALID)
    assert [finding["location"] for finding in findings] == [location]
    assert not PortalSession.objects.exists()


def test_what_needs_keys_read_says_so(api, config, root_key):
    body = {**BODY, "scopes": ["analytics:read", "keys:reroll"]}
    (finding,) = assert_refused(api("createSession", body, token=root_key.secret), 400, INVALID)
    assert finding["message"] == "Add keys:read: keys:reroll and analytics:read can do nothing without it."
    # The rule belongs to this vocabulary; the older one never had it.
    assert_answer(api("createSession", {**OLDER, "permissions": ["keys:reroll"]}, token=root_key.secret))


@pytest.mark.parametrize(
    ("body", "locations"),
    [
        ({**OLDER, "portal": "my-portal"}, {"body.slug", "body.permissions"}),
        ({**OLDER, "scopes": ["keys:read"]}, {"body.slug", "body.permissions"}),
        ({**BODY, "slug": "my-portal"}, {"body.slug"}),
        ({"slug": "my-portal", "externalId": "u", "scopes": ["keys:read"]}, {"body.slug"}),
        ({"portal": "my-portal", "externalId": "u", "permissions": ["keys:read"]}, {"body.permissions"}),
    ],
)
def test_a_mixture_is_refused(api, config, root_key, body, locations):
    findings = assert_refused(api("createSession", body, token=root_key.secret), 400, INVALID)
    assert {finding["location"] for finding in findings} == locations
    for finding in findings:
        assert finding["message"] == "Use slug with permissions, or portal with scopes; the two do not mix."
        assert finding["fix"] == "Remove the member."


def test_any_code_is_exchanged_in_either_words_and_once(api, config, root_key):
    newer = assert_answer(api("createSession", BODY, token=root_key.secret))["data"]["url"]
    older = assert_answer(api("createSession", OLDER, token=root_key.secret))["data"]["sessionId"]
    for operation, member, code, token in (
        ("exchangeSession", "sessionId", code_in(newer), "token"),
        ("exchangeCode", "code", older, "accessToken"),
    ):
        data = assert_answer(api(operation, {member: code}))["data"]
        assert set(data) == {token, "expiresAt"}
        assert tokens.is_secret(data[token], tokens.ACCESS_TOKEN)
        assert_answer(api("getSession", token=data[token]))
        for again, name in (("exchangeSession", "sessionId"), ("exchangeCode", "code")):
            assert_refused(api(again, {name: code}), 401, "unkey/authentication/portal_session_not_found")
    assert PortalEvent.objects.filter(kind="session.replayed").count() == 2


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": None}, {"sessionId": "x"}, {"code": "x", "sessionId": "x"}]
)
def test_an_exchange_takes_its_own_member_only(api, body):
    assert assert_refused(api("exchangeCode", body), 400, INVALID)


def test_an_exchange_sets_no_cookie(api, config):
    assert not api("exchangeCode", {"code": mint(config).secret}).cookies
