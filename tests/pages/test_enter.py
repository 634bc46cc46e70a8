"""The POST that spends a code (design decisions 5 to 8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from portal import clock, tokens
from portal.authenticate import authenticate_session
from portal.models import PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, mint, sign_in
from tests.pages.flow import enter, field, heading, open_link, press_continue

pytestmark = pytest.mark.django_db


def events(kind):
    return PortalEvent.objects.filter(kind=kind)


def test_leads_to_a_clean_address_with_a_cookie(client, config):
    answer = press_continue(client, open_link(client, mint(config).secret))
    assert (answer.status_code, answer["Location"]) == (303, "/my-portal/keys/")
    cookie = answer.cookies["portal_session"]
    assert tokens.is_secret(cookie.value, tokens.ACCESS_TOKEN)
    assert authenticate_session(cookie.value).external_id == "user_123"
    assert answer["Cache-Control"] == "no-store, private"


def test_row_10_the_cookie(client, config):
    cookie = press_continue(client, open_link(client, mint(config).secret)).cookies["portal_session"]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert 86_390 <= cookie["max-age"] <= 86_400
    assert "partitioned" not in cookie.OutputString().lower()


@pytest.mark.parametrize(
    ("settings_", "secure", "expected"),
    [
        ({}, False, ""),
        ({}, True, True),
        ({"COOKIE_SECURE": True}, False, True),
        ({"COOKIE_SECURE": False, "BASE_URL": "https://portal.example.com"}, False, ""),
        ({"BASE_URL": "https://portal.example.com"}, False, True),
        ({"BASE_URL": "http://127.0.0.1:8000"}, False, ""),
    ],
)
def test_decision_7_secure_when_users_come_by_https(client, config, settings, settings_, secure, expected):
    settings.PORTAL = settings_
    url = "/my-portal/"
    landing = client.get(url, {"session": mint(config).secret}, secure=secure)
    html = landing.content.decode()
    form = {name: field(html, name) for name in ("code", "form_token", "instead_of")}
    answer = client.post("/my-portal/enter/", form, secure=secure)
    assert answer.cookies["portal_session"]["secure"] == expected


def test_a_frame_on_another_site_can_have_partitioned_cookies(client, config, settings):
    settings.PORTAL = {**settings.PORTAL, "COOKIE_SAMESITE": "None", "COOKIE_PARTITIONED": True}
    answer = press_continue(client, open_link(client, mint(config).secret))
    line = answer.cookies["portal_session"].OutputString()
    assert "SameSite=None" in line
    assert "Partitioned" in line
    assert "Secure" in line


def test_the_cookie_ends_with_the_session(client, config, settings):
    settings.PORTAL = {**settings.PORTAL, "SESSION_TTL": timedelta(hours=1)}
    answer = press_continue(client, open_link(client, mint(config).secret))
    assert 3590 <= answer.cookies["portal_session"]["max-age"] <= 3600


def test_without_the_nonce_cookie_nothing_is_spent(client, config):
    code = mint(config).secret
    landing = open_link(client, code)
    answer = press_continue(Client(), landing)
    assert answer.status_code == 401
    assert heading(answer) == "Your browser blocked the sign-in"
    malformed = Client()
    malformed.cookies["__Host-portal_nonce"] = "x" * 42
    assert press_continue(malformed, landing).status_code == 401
    assert press_continue(client, landing).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://app.example.com"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_row_8_and_13_a_form_from_elsewhere_spends_nothing(client, config, headers):
    landing = open_link(client, mint(config).secret)
    answer = press_continue(client, landing, **headers)
    assert answer.status_code == 403
    assert heading(answer) == "This form is out of date"
    assert "portal_session" not in answer.cookies
    assert press_continue(client, landing, Origin="https://portal.example.com").status_code == 303


@pytest.mark.parametrize("form_token", ["", "0" * 64, "ä", None])
def test_row_13_a_form_without_our_proof_spends_nothing(client, config, form_token):
    landing = open_link(client, mint(config).secret)
    form = {"code": field(landing.content.decode(), "code")}
    if form_token is not None:
        form["form_token"] = form_token
    assert client.post("/my-portal/enter/", form).status_code == 403
    assert press_continue(client, landing).status_code == 303


def test_another_browsers_proof_is_none(client, config):
    code = mint(config).secret
    theirs = open_link(Client(), code)
    open_link(client, code)
    assert press_continue(client, theirs).status_code == 403


def test_f24_an_open_form_survives_a_new_secret_key(client, config, settings):
    landing = open_link(client, mint(config).secret)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert press_continue(client, landing).status_code == 303


def test_f3_a_lost_answer_is_given_again(client, config):
    code = mint(config).secret
    landing = open_link(client, code)
    first = press_continue(client, landing)
    # The answer never arrived: no cookie. The browser sends the form again.
    del client.cookies["portal_session"]
    before = PortalSession.objects.values().get(), PortalEvent.objects.count()
    second = press_continue(client, landing)
    assert second.status_code == 303
    assert second.cookies["portal_session"].value == first.cookies["portal_session"].value
    assert (PortalSession.objects.values().get(), PortalEvent.objects.count()) == before


def test_f24_a_lost_answer_is_given_again_after_a_new_secret_key(client, config, settings):
    landing = open_link(client, mint(config).secret)
    first = press_continue(client, landing).cookies["portal_session"].value
    del client.cookies["portal_session"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert press_continue(client, landing).cookies["portal_session"].value == first


def test_f3_but_not_after_a_minute_or_to_others(client, config):
    code = mint(config).secret
    landing = open_link(client, code)
    press_continue(client, landing)
    del client.cookies["portal_session"]
    exchanged = PortalSession.objects.get().exchanged_at
    with clock.using(lambda: exchanged + timedelta(seconds=60)):
        assert press_continue(client, landing).status_code == 401
    other = Client()
    open_link(other, mint(config).secret)
    stolen = press_continue(other, landing)
    assert stolen.status_code == 403


def test_f3_a_code_exchanged_by_json_is_not_given_again(client, config, api):
    code = mint(config).secret
    landing = open_link(client, code)
    api("exchangeSession", {"sessionId": code})
    answer = press_continue(client, landing)
    assert answer.status_code == 401
    assert heading(answer) == "This link no longer works"
    assert events("session.replayed").count() == 1


def test_f3_a_revoked_session_is_not_given_again(client, config):
    landing = open_link(client, mint(config).secret)
    press_continue(client, landing)
    PortalSession.objects.get().revoke()
    assert press_continue(client, landing).status_code == 401


def test_pressing_twice_leads_in_twice(client, config):
    landing = open_link(client, mint(config).secret)
    first = press_continue(client, landing)
    second = press_continue(client, landing)
    assert [first.status_code, second.status_code] == [303, 303]
    assert events("session.exchanged").count() == 1
    assert not events("session.replayed").exists()


def test_much_later_the_form_still_leads_its_own_browser_in(client, config):
    landing = open_link(client, mint(config).secret)
    press_continue(client, landing)
    later = clock.now() + timedelta(hours=2)
    with clock.using(lambda: later):
        answer = press_continue(client, landing)
    assert answer.status_code == 303
    assert "portal_session" not in answer.cookies
    assert not events("session.replayed").exists()


def test_row_12_the_session_before_ends_with_the_new_one(client, config):
    other = PortalConfigFactory(slug="other-portal")
    old = enter(client, mint(other, "ada").secret, "other-portal")
    new = enter(client, mint(config, "bob").secret)
    assert authenticate_session(old) is None
    assert authenticate_session(new).external_id == "bob"
    event = events("session.revoked").get()
    assert event.detail == {"reason": "replaced", "count": 1}


def test_a_failed_exchange_leaves_the_session_before(client, config):
    token = enter(client, mint(config, "ada").secret)
    spent = mint(config, "bob").secret
    landing = open_link(client, spent)
    sign = PortalSession.objects.exchange(spent)
    assert press_continue(client, landing).status_code == 401
    assert authenticate_session(token).external_id == "ada"
    assert authenticate_session(sign.secret).external_id == "bob"


def test_a_stale_or_foreign_cookie_value_is_not_adopted(client, config):
    client.cookies["portal_session"] = "pat_" + "0" * 43
    assert enter(client, mint(config).secret) != "pat_" + "0" * 43


def test_a_portal_closed_meanwhile_spends_nothing(client, config):
    landing = open_link(client, mint(config).secret)
    config.enabled = False
    config.save()
    answer = press_continue(client, landing)
    assert answer.status_code == 403
    assert heading(answer) == "This portal is closed"


def test_get_is_405(client, config):
    answer = client.get("/my-portal/enter/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert heading(answer) == "That didn’t work"


def test_row_45_audits_the_address(client, config):
    press_continue(client, open_link(client, mint(config).secret))
    assert events("session.exchanged").get().address == "127.0.0.1"


def test_a_token_made_elsewhere_is_found_by_its_own_code_only(client, config):
    sign_in(config)
    assert enter(client, mint(config).secret)
    assert PortalSession.objects.live().count() == 2
