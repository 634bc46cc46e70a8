"""portal.exchangeSession, generation 1 (wire contract section 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from portal import clock, tokens
from portal.authenticate import authenticate_session
from portal.models import PortalEvent, PortalSession
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, mint, sign_in

pytestmark = pytest.mark.django_db

NOT_FOUND = "unkey/authentication/portal_session_not_found"
DETAIL = "Session is invalid, expired, or has already been used."


def test_answers_a_token_and_its_end_in_milliseconds(api, config):
    now = clock.now()
    with clock.using(lambda: now):
        answer = assert_answer(api("exchangeSession", {"sessionId": mint(config).secret}))
    assert set(answer["data"]) == {"token", "expiresAt"}
    assert tokens.is_secret(answer["data"]["token"], tokens.ACCESS_TOKEN)
    assert answer["data"]["expiresAt"] == clock.to_milliseconds(now) + 24 * 3600 * 1000
    assert type(answer["data"]["expiresAt"]) is int


def test_row_14_sets_no_cookie_and_ignores_credentials(api, config, client):
    client.cookies["portal_session"] = sign_in(config).secret
    answer = api("exchangeSession", {"sessionId": mint(config).secret}, token="nonsense")
    assert_answer(answer)
    assert not answer.cookies
    # The session of the cookie is not the JSON exchange's to end.
    assert PortalSession.objects.live().count() == 2


def test_row_3_a_code_works_once(api, config):
    code = mint(config).secret
    assert_answer(api("exchangeSession", {"sessionId": code}))
    assert_refused(api("exchangeSession", {"sessionId": code}), 401, NOT_FOUND, DETAIL)


def test_row_12_each_sign_in_is_a_new_token(api, config):
    seen = {api("exchangeSession", {"sessionId": mint(config).secret}).json()["data"]["token"] for _ in range(3)}
    assert len(seen) == 3


def test_row_5_unknown_used_expired_revoked_and_closed_look_the_same(config):
    used = mint(config)
    PortalSession.objects.exchange(used.secret)
    revoked = mint(config)
    revoked.row.revoke()
    closed = mint(PortalConfigFactory(enabled=True))
    closed.row.config.enabled = False
    closed.row.config.save()
    expired = mint(config)
    ends = expired.row.code_expires_at
    seen = set()
    with clock.using(lambda: ends):
        for code in ("pst_" + "0" * 43, "x", used.secret, used.secret, expired.secret, revoked.secret, closed.secret):
            answer = Client().post("/v2/portal.exchangeSession", {"sessionId": code}, content_type="application/json")
            assert_refused(answer, 401, NOT_FOUND, DETAIL)
            headers = {name: value for name, value in answer.items() if name != "X-Request-Id"}
            body = answer.content.decode().replace(answer["X-Request-Id"], "")
            seen.add((tuple(sorted(headers.items())), body))
    assert len(seen) == 1


def test_row_4_a_code_expires_to_the_millisecond(api, config):
    early, late = mint(config), mint(config)
    with clock.using(lambda: early.row.code_expires_at - timedelta(milliseconds=1)):
        assert_answer(api("exchangeSession", {"sessionId": early.secret}))
    with clock.using(lambda: late.row.code_expires_at):
        assert_refused(api("exchangeSession", {"sessionId": late.secret}), 401, NOT_FOUND)


def test_row_20_the_challenge_names_no_error(api, config):
    answer = api("exchangeSession", {"sessionId": "pst_" + "0" * 43})
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.sessionId"),
        ({"sessionId": ""}, "body.sessionId"),
        ({"sessionId": None}, "body.sessionId"),
        ({"sessionId": 5}, "body.sessionId"),
        ({"sessionId": "x" * 513}, "body.sessionId"),
        ({"sessionId": "x", "code": "x"}, "body.code"),
    ],
)
def test_bad_bodies(api, db, body, location):
    findings = assert_refused(api("exchangeSession", body), 400, "unkey/application/invalid_input")
    assert [finding["location"] for finding in findings] == [location]


def test_row_22_a_token_is_no_code_and_a_code_no_token(api, config):
    assert_refused(api("exchangeSession", {"sessionId": sign_in(config).secret}), 401, NOT_FOUND)
    code = mint(config).secret
    assert_refused(api("getSession", token=code), 401, NOT_FOUND)
    assert_answer(api("exchangeSession", {"sessionId": code}))


def test_row_9_case_counts(api, config):
    code = mint(config).secret
    assert code.swapcase() != code
    assert_refused(api("exchangeSession", {"sessionId": "pst_" + code[4:].swapcase()}), 401, NOT_FOUND)


def test_row_45_audits_the_exchange_and_the_first_replay_only(api, config):
    code = mint(config).secret
    for _ in range(4):
        api("exchangeSession", {"sessionId": code})
    api("exchangeSession", {"sessionId": "pst_" + "0" * 43})
    kinds = list(PortalEvent.objects.order_by("id").values_list("kind", "external_id", "actor_id"))
    assert kinds == [
        ("portal.created", "", ""),
        ("session.created", "user_123", ""),
        ("session.exchanged", "user_123", "user_123"),
        ("session.replayed", "user_123", ""),
    ]


def test_row_7_the_token_is_stored_as_a_hash(api, config):
    token = api("exchangeSession", {"sessionId": mint(config).secret}).json()["data"]["token"]
    session = PortalSession.objects.get()
    assert bytes(session.token_hash) == tokens.digest(token)
    assert authenticate_session(token).pk == session.pk
    assert token not in repr(session.__dict__)


def test_the_settings_set_the_times(api, config, settings):
    settings.PORTAL = {**settings.PORTAL, "CODE_TTL": timedelta(minutes=1), "SESSION_TTL": timedelta(hours=1)}
    session, code = mint(config)
    assert session.code_expires_at - session.created_at == timedelta(minutes=1)
    api("exchangeSession", {"sessionId": code})
    session.refresh_from_db()
    assert session.expires_at - session.exchanged_at == timedelta(hours=1)


@pytest.mark.django_db(transaction=True)
def test_costs_one_statement_or_two_and_their_frame(api, config, django_assert_num_queries):
    code = mint(config).secret
    # On PostgreSQL the session and its event are one, which begins and commits by itself; elsewhere there are BEGIN,
    # session, event and COMMIT.
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 4):
        assert_answer(api("exchangeSession", {"sessionId": code}))
