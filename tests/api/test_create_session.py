"""portal.createSession, generation 1 (wire contract section 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from portal import clock, tokens
from portal.models import PortalEvent, PortalSession, RootKey
from portal.permissions import CAPABILITIES
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, issue_root_key, sign_in

pytestmark = pytest.mark.django_db

BODY = {"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key"]}
MISSING = "unkey/authentication/missing"
MALFORMED = "unkey/authentication/malformed"
KEY_NOT_FOUND = "unkey/authentication/key_not_found"
CONFIG_NOT_FOUND = "unkey/data/portal_config_not_found"
INVALID = "unkey/application/invalid_input"
LACKING = "unkey/authorization/insufficient_permissions"


def test_answers_a_code_and_a_link(api, config, root_key):
    answer = assert_answer(api("createSession", BODY, token=root_key.secret))
    assert set(answer["data"]) == {"sessionId", "url"}
    code = answer["data"]["sessionId"]
    assert tokens.is_secret(code, tokens.EXCHANGE_CODE)
    assert answer["data"]["url"] == f"https://portal.example.com/my-portal/?session={code}"


def test_stores_what_was_asked_for(api, config, root_key):
    body = {**BODY, "preview": True, "returnUrl": "https://app.example.com/done?x=1"}
    code = assert_answer(api("createSession", body, token=root_key.secret))["data"]["sessionId"]
    session = PortalSession.objects.get()
    assert session.config == config
    assert (session.external_id, session.permissions, session.capabilities) == (
        "user_123",
        ["api.*.read_key"],
        "keys:read",
    )
    assert session.preview is True
    assert session.return_url == body["returnUrl"]
    assert session.minted_by == root_key.row
    assert session.code_expires_at - session.created_at == timedelta(minutes=15)
    assert session.state() == session.State.PENDING
    assert bytes(session.code_hash) == tokens.digest(code)


def test_row_7_audits_with_public_ids_only(api, config, root_key):
    assert_answer(api("createSession", BODY, token=root_key.secret))
    event = PortalEvent.objects.get(kind=PortalEvent.Kind.SESSION_CREATED)
    session = PortalSession.objects.get()
    assert (event.actor_kind, event.actor_id, event.address) == ("root_key", root_key.row.public_id, "127.0.0.1")
    assert (event.portal_id, event.session_id, event.external_id) == (
        config.public_id,
        session.public_id,
        "user_123",
    )
    assert event.detail == {"capabilities": ["keys:read"]}


def test_each_call_mints_anew(api, config, root_key):
    codes = {api("createSession", BODY, token=root_key.secret).json()["data"]["sessionId"] for _ in range(3)}
    assert len(codes) == 3


@pytest.mark.parametrize(
    ("granted", "capabilities"),
    [
        (["api.*.create_key"], "keys:create keys:reroll"),
        (["api.ks_1.update_key", "api.ks_1.delete_key"], "keys:update keys:delete"),
        (["api.ks_2.read_key", "api.*.*", "a.b.c"], ""),
        (["analytics:read", "keys:read", "keys:read"], "keys:read analytics:read"),
        (list(CAPABILITIES), " ".join(CAPABILITIES)),
    ],
)
def test_permissions_become_capabilities(api, config, root_key, granted, capabilities):
    assert_answer(api("createSession", {**BODY, "permissions": granted}, token=root_key.secret))
    session = PortalSession.objects.get()
    assert session.capabilities == capabilities
    assert session.permissions == granted


def test_a_portal_adds_its_extra_capabilities_to_those_who_read(api, config, root_key):
    config.extra_capabilities = ["keys:update"]
    config.save()
    assert_answer(api("createSession", BODY, token=root_key.secret))
    assert_answer(api("createSession", {**BODY, "permissions": ["keys:create"]}, token=root_key.secret))
    reader, creator = PortalSession.objects.order_by("id")
    assert reader.capabilities == "keys:read keys:update"
    assert creator.capabilities == "keys:create"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, MISSING),
        ("", MALFORMED),
        ("Bearer", MALFORMED),
        ("Bearer  ", MALFORMED),
        ("Basic dXNlcjpwYXNz", MALFORMED),
        ("Bearer nonsense", KEY_NOT_FOUND),
        ("Bearer prk_" + "0" * 43, KEY_NOT_FOUND),
        ("Bearer prk_" + "é" * 43, KEY_NOT_FOUND),
        ("Bearer prk_" + "0" * 43 + "\x00", KEY_NOT_FOUND),
    ],
)
def test_row_20_root_key_missing_malformed_unknown(client, config, header, code):
    headers = {} if header is None else {"Authorization": header}
    answer = client.post("/v2/portal.createSession", BODY, content_type="application/json", headers=headers)
    assert_refused(answer, 401, code)
    assert ("invalid_token" in answer["WWW-Authenticate"]) == (code == KEY_NOT_FOUND)
    assert not PortalSession.objects.exists()


def test_bearer_is_matched_in_any_case(client, config, root_key):
    headers = {"Authorization": f"bEARER   {root_key.secret} "}
    assert_answer(client.post("/v2/portal.createSession", BODY, content_type="application/json", headers=headers))


def test_row_22_an_access_token_is_no_root_key_and_no_cookie_is_looked_at(api, client, config, root_key):
    token = sign_in(config).secret
    assert_refused(api("createSession", BODY, token=token), 401, KEY_NOT_FOUND)
    client.cookies["portal_session"] = token
    assert_refused(api("createSession", BODY), 401, MISSING)


def test_a_disabled_root_key_is_named(api, config, root_key):
    root_key.row.disable()
    answer = api("createSession", BODY, token=root_key.secret)
    assert_refused(
        answer,
        403,
        "unkey/authorization/key_disabled",
        "The API key used for authentication has been disabled",
    )


def test_row_4_a_root_key_expires_to_the_millisecond(api, config):
    ends = clock.now() + timedelta(hours=1)
    key = issue_root_key(expires_at=ends).secret
    with clock.using(lambda: ends - timedelta(milliseconds=1)):
        assert_answer(api("createSession", BODY, token=key))
    with clock.using(lambda: ends):
        assert_refused(api("createSession", BODY, token=key), 401, KEY_NOT_FOUND)


def test_row_44_an_unknown_portal_and_one_of_others_are_the_same(api, config):
    other = PortalConfigFactory(slug="other-portal")
    key = issue_root_key(granted=[f"portal.{other.public_id}.create_portal_session", "keys:read"]).secret
    foreign = api("createSession", BODY, token=key)
    assert_refused(foreign, 404, CONFIG_NOT_FOUND, "Portal configuration not found.")
    unknown = api("createSession", {**BODY, "slug": "no-such-portal"}, token=key)
    assert foreign.json()["error"] == unknown.json()["error"]
    assert_answer(api("createSession", {**BODY, "slug": "other-portal"}, token=key))


@pytest.mark.parametrize(
    ("held", "asked", "missing"),
    [
        (["keys:read"], ["keys:create"], "keys:create"),
        (["keys:read"], ["api.*.create_key"], "keys:create"),
        (["api.*.create_key"], ["keys:read"], "keys:read"),
        (["api.ks_2.read_key"], ["keys:read"], "keys:read"),
        ([], ["keys:read", "analytics:read"], "keys:read"),
    ],
)
def test_row_23_a_root_key_hands_out_no_more_than_it_has(api, config, held, asked, missing):
    key = issue_root_key(granted=["portal.*.create_portal_session", *held]).secret
    answer = api("createSession", {**BODY, "permissions": asked}, token=key)
    assert_refused(answer, 403, LACKING, f"Missing permission: '{missing}'")
    assert not PortalSession.objects.exists()


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        (["api.*.read_key"], ["keys:read"]),
        (["keys:create", "keys:reroll"], ["api.*.create_key"]),
        (["api.ks_1.read_key"], ["api.*.read_key"]),
        ([], ["api.ks_2.read_key"]),
        ([], ["docs.only.please"]),
    ],
)
def test_row_23_the_ceiling_compares_what_permissions_mean(api, config, held, asked):
    key = issue_root_key(granted=["portal.*.create_portal_session", *held]).secret
    assert_answer(api("createSession", {**BODY, "permissions": asked}, token=key))


def test_the_star_may_everything(api, config):
    key = issue_root_key(granted=["*"]).secret
    assert_answer(api("createSession", {**BODY, "permissions": list(CAPABILITIES)}, token=key))


def test_a_disabled_portal_is_named(api, config, root_key):
    config.enabled = False
    config.save()
    answer = api("createSession", BODY, token=root_key.secret)
    assert_refused(answer, 403, "unkey/authorization/forbidden", "Portal is disabled.")


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"slug": "ab"}, "body.slug"),
        ({"slug": "a" * 65}, "body.slug"),
        ({"slug": "My-portal"}, "body.slug"),
        ({"slug": "my-portal\n"}, "body.slug"),
        ({"slug": "-portal"}, "body.slug"),
        ({"slug": "mÿ-portal"}, "body.slug"),
        ({"slug": 123}, "body.slug"),
        ({"slug": None}, "body.slug"),
        ({"externalId": ""}, "body.externalId"),
        ({"externalId": "x" * 257}, "body.externalId"),
        ({"externalId": ["user"]}, "body.externalId"),
        ({"permissions": []}, "body.permissions"),
        ({"permissions": "keys:read"}, "body.permissions"),
        ({"permissions": {"0": "keys:read"}}, "body.permissions"),
        ({"permissions": ["keys:read"] * 257}, "body.permissions"),
        ({"permissions": ["keys:read", "keys:fly"]}, "body.permissions[1]"),
        ({"permissions": ["a..c"]}, "body.permissions[0]"),
        ({"permissions": ["a.b.c.d"]}, "body.permissions[0]"),
        ({"permissions": ["a.b.c", 7]}, "body.permissions[1]"),
        ({"permissions": [None]}, "body.permissions[0]"),
        ({"permissions": ["a.b." + "c" * 512]}, "body.permissions[0]"),
        ({"preview": "true"}, "body.preview"),
        ({"preview": 1}, "body.preview"),
        ({"preview": None}, "body.preview"),
        ({"returnUrl": "https://evil.example"}, "body.returnUrl"),
        ({"returnUrl": "http://app.example.com/"}, "body.returnUrl"),
        ({"returnUrl": "javascript:alert(1)"}, "body.returnUrl"),
        ({"returnUrl": "/settings"}, "body.returnUrl"),
        ({"returnUrl": "https://app.example.com/" + "a" * 500}, "body.returnUrl"),
        ({"id": "x"}, "body.id"),
    ],
)
def test_row_25_and_39_bad_members_are_named(api, config, root_key, change, location):
    findings = assert_refused(api("createSession", {**BODY, **change}, token=root_key.secret), 400, INVALID)
    assert [finding["location"] for finding in findings] == [location]
    assert not PortalSession.objects.exists()


@pytest.mark.parametrize("name", ["slug", "externalId", "permissions"])
def test_missing_members_are_named_with_a_fix(api, config, root_key, name):
    body = {member: value for member, value in BODY.items() if member != name}
    answer = api("createSession", body, token=root_key.secret)
    findings = assert_refused(
        answer, 400, INVALID, "POST request body for '/v2/portal.createSession' failed to validate schema"
    )
    assert findings == [{"location": f"body.{name}", "message": "This member is required.", "fix": "Add the member."}]


def test_consecutive_hyphens_are_refused_in_the_contracts_words(api, config, root_key):
    answer = api("createSession", {**BODY, "slug": "my--portal"}, token=root_key.secret)
    findings = assert_refused(
        answer,
        400,
        INVALID,
        "slug must be 3-64 characters, lowercase alphanumeric and hyphens, must not start or end with a hyphen, "
        "and must not contain consecutive hyphens",
    )
    assert findings == []


def test_an_external_id_is_text_of_any_kind_counted_in_characters(api, config, root_key):
    external_id = "😀\t<b>é\u202e" + "x" * 249
    assert len(external_id) == 256
    assert_answer(api("createSession", {**BODY, "externalId": external_id}, token=root_key.secret))
    assert PortalSession.objects.get().external_id == external_id


def test_refusals_carry_neither_input_nor_ids(api, config, root_key):
    for answer in (
        api("createSession", {**BODY, "slug": "secret-slug", "externalId": "secret-user"}, token=root_key.secret),
        api("createSession", {**BODY, "externalId": "secret-user"}, token="prk_" + "A" * 43),
        api("createSession", {**BODY, "returnUrl": "https://secret-host.example"}, token=root_key.secret),
    ):
        text = answer.content.decode()
        assert "secret-" not in text
        assert config.public_id not in text
        assert root_key.row.public_id not in text


def test_last_use_is_written_at_most_every_five_minutes(api, config, root_key):
    start = clock.now()
    seen = []
    for minutes in (0, 4, 6):
        with clock.using(lambda minutes=minutes: start + timedelta(minutes=minutes)):
            assert_answer(api("createSession", BODY, token=root_key.secret))
        seen.append(RootKey.objects.get().last_used_at - start)
    assert seen == [timedelta(0), timedelta(0), timedelta(minutes=6)]


def test_row_40_without_base_url_the_answer_names_the_setting(api, config, root_key, settings):
    settings.PORTAL = {}
    answer = api("createSession", BODY, token=root_key.secret)
    assert answer.status_code == 500
    assert 'PORTAL["BASE_URL"]' in answer.json()["error"]["detail"]
    assert not PortalSession.objects.exists()


def test_row_40_in_debug_the_request_says_where_the_portal_is(api, config, root_key, settings):
    settings.PORTAL = {}
    settings.DEBUG = True
    url = assert_answer(api("createSession", BODY, token=root_key.secret))["data"]["url"]
    assert url.startswith("http://testserver/my-portal/?session=pst_")


def test_row_40_base_url_keeps_its_prefix(api, config, root_key, settings):
    settings.PORTAL = {"BASE_URL": "https://example.com/customers/"}
    url = assert_answer(api("createSession", BODY, token=root_key.secret))["data"]["url"]
    assert url.startswith("https://example.com/customers/my-portal/?session=pst_")


def test_rotation_keeps_the_old_secret_for_its_grace(api, config, root_key):
    start = clock.now()
    rotated = root_key.row.rotate(timedelta(hours=1))
    for key in (root_key.secret, rotated.secret):
        assert_answer(api("createSession", BODY, token=key))
    with clock.using(lambda: start + timedelta(hours=1, seconds=1)):
        assert_refused(api("createSession", BODY, token=root_key.secret), 401, KEY_NOT_FOUND)
        assert_answer(api("createSession", BODY, token=rotated.secret))
    again = root_key.row.rotate()
    assert_refused(api("createSession", BODY, token=rotated.secret), 401, KEY_NOT_FOUND)
    assert_answer(api("createSession", BODY, token=again.secret))
    assert RootKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_costs_three_statements_or_four_and_their_frame(api, config, root_key, django_assert_num_queries):
    assert_answer(api("createSession", BODY, token=root_key.secret))
    # Root key, portal, and the session with its event: one on PostgreSQL, which begins and commits by itself; elsewhere
    # BEGIN, session, event, and a COMMIT that Django does not capture. The last use is fresh and writes nothing.
    with django_assert_num_queries(3 if connection.vendor == "postgresql" else 6):
        assert_answer(api("createSession", BODY, token=root_key.secret))
