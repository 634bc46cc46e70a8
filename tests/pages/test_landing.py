"""The landing page: a GET changes nothing (design decisions 5 and 6, security rows 1, 2 and 13)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from portal import clock, tokens
from portal.models import PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, mint, sign_in
from tests.pages.flow import enter, field, heading, open_link, press_continue

pytestmark = pytest.mark.django_db

DEAD = "This link no longer works"


def test_shows_a_form_and_spends_nothing(client, config):
    code = mint(config).secret
    before = PortalSession.objects.values().get()
    answer = open_link(client, code)
    assert answer.status_code == 200
    assert heading(answer) == "Continue to Northwind Maps"
    assert field(answer.content.decode(), "code") == code
    assert PortalSession.objects.values().get() == before
    assert [event.kind for event in PortalEvent.objects.all()] == ["session.created", "portal.created"]


@pytest.mark.parametrize("parameter", ["session", "code"])
def test_takes_the_code_under_both_names(client, config, parameter):
    answer = client.get("/my-portal/", {parameter: mint(config).secret})
    assert heading(answer) == "Continue to Northwind Maps"


def test_row_1_head_and_get_a_hundred_times_then_it_still_works(client, config):
    code = mint(config).secret
    for _ in range(50):
        assert client.head("/my-portal/", {"session": code}).status_code == 200
        assert open_link(Client(), code).status_code == 200
    enter(client, code)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
def test_row_1_prefetch_gets_503_and_no_page(client, config, headers):
    code = mint(config).secret
    answer = open_link(client, code, **headers)
    assert (answer.status_code, answer["Retry-After"], answer.content) == (503, "1", b"")
    assert not answer.cookies
    enter(client, code)


def test_the_nonce_cookie(client, config):
    answer = open_link(client, mint(config).secret)
    cookie = answer.cookies.get("portal_nonce", None)
    # BASE_URL is https in these tests, so the cookie is Secure and carries the prefix that browsers enforce.
    assert cookie is None
    cookie = answer.cookies["__Host-portal_nonce"]
    assert tokens.is_nonce(cookie.value)
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/", "", 900)


def test_the_nonce_has_no_prefix_on_plain_http(client, config, settings):
    settings.PORTAL = {}
    answer = open_link(client, mint(config).secret)
    assert answer.cookies["portal_nonce"]["secure"] == ""


def test_a_well_formed_nonce_is_kept_and_others_replaced(client, config):
    first = open_link(client, mint(config).secret).cookies["__Host-portal_nonce"].value
    assert open_link(client, mint(config).secret).cookies["__Host-portal_nonce"].value == first
    client.cookies["__Host-portal_nonce"] = "planted"
    again = open_link(client, mint(config).secret).cookies["__Host-portal_nonce"].value
    assert tokens.is_nonce(again)
    assert again != first


def test_row_5_used_expired_unknown_and_foreign_links_are_one_page(config):
    other = PortalConfigFactory(slug="other-portal")
    used = mint(config).secret
    enter(Client(), used)
    expired = mint(config)
    pages = set()
    with clock.using(lambda: expired.row.code_expires_at):
        for code in ("x", "pst_" + "0" * 43, used, expired.secret, mint(other).secret, "ä\0"):
            answer = open_link(Client(), code)
            assert answer.status_code == 401
            assert heading(answer) == DEAD
            assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'
            assert not answer.cookies
            pages.add(answer.content)
    assert len(pages) == 1


def test_a_dead_link_leads_back(client, config):
    html = open_link(client, "x").content.decode()
    assert 'href="https://app.example.com/settings"' in html
    assert 'rel="noreferrer"' in html


def test_without_a_code(client, config):
    answer = client.get("/my-portal/")
    assert answer.status_code == 401
    assert heading(answer) == "Open this page from Northwind Maps"
    client.cookies["portal_session"] = sign_in(config).secret
    answer = client.get("/my-portal/")
    assert (answer.status_code, answer["Location"]) == (303, "/my-portal/keys/")


def test_an_unknown_slug_is_a_neutral_404(client, config):
    for path in ("/no-such-portal/", "/no-such-portal/session/", "/NOPE/?session=x"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert heading(answer) == "Page not found"
        assert b"Northwind" not in answer.content


def continues(answer):
    return "data-continues" in answer.content.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Referer": "https://app.example.com/"},
        {"Referer": "https://shop.example.com"},
        {"Referer": "https://frame.example.com/deep/path?x=1"},
        {"Referer": "https://portal.example.com/"},
        {"Referer": "http://testserver/"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_row_2_continues_by_itself_from_listed_origins(client, config, headers):
    config.allowed_origins = ["https://shop.example.com"]
    config.frame_ancestors = ["https://frame.example.com"]
    config.save()
    answer = open_link(client, mint(config).secret, **headers)
    assert continues(answer)
    assert PortalSession.objects.get().public_id in answer.content.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Referer": ""},
        {"Referer": "https://evil.example/"},
        {"Referer": "https://app.example.com.evil.example/"},
        {"Referer": "https://app.example.com@evil.example/"},
        {"Referer": "http://app.example.com/"},
        {"Referer": "https://app.example.com:8443/"},
        {"Referer": "nonsense"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_row_13_waits_for_the_person_from_anywhere_else(client, config, headers):
    answer = open_link(client, mint(config).secret, **headers)
    assert answer.status_code == 200
    assert not continues(answer)


def test_auto_continue_can_be_switched_off(client, config, settings):
    settings.PORTAL = {**settings.PORTAL, "AUTO_CONTINUE": False}
    assert not continues(open_link(client, mint(config).secret, **{"Sec-Fetch-Site": "same-origin"}))


def test_row_13_somebody_else_is_asked_by_name(client, config):
    enter(client, mint(config, "ada", display_name="Ada <Wong>").secret)
    answer = open_link(client, mint(config, "bob").secret, **{"Sec-Fetch-Site": "same-origin"})
    html = answer.content.decode()
    assert not continues(answer)
    assert "Ada &lt;Wong&gt;" in html
    assert "bob" in html


def test_row_13_a_session_at_another_portal_is_somebody_else(client, config):
    enter(client, mint(config, "ada").secret)
    other = PortalConfigFactory(slug="other-portal")
    answer = open_link(client, mint(other, "ada").secret, "other-portal", **{"Sec-Fetch-Site": "same-origin"})
    assert not continues(answer)


def test_the_same_person_continues(client, config):
    enter(client, mint(config, "ada").secret)
    assert continues(open_link(client, mint(config, "ada").secret, **{"Sec-Fetch-Site": "same-origin"}))


def test_a_spent_link_leads_its_own_browser_in(client, config):
    code = mint(config).secret
    enter(client, code)
    answer = open_link(client, code)
    assert (answer.status_code, answer["Location"]) == (303, "/my-portal/keys/")


def test_f3_a_spent_link_shows_the_form_to_the_browser_whose_answer_got_lost(client, config):
    code = mint(config).secret
    enter(client, code)
    del client.cookies["portal_session"]
    assert open_link(client, code).status_code == 200
    assert heading(open_link(Client(), code)) == DEAD
    later = clock.now() + timedelta(seconds=61)
    with clock.using(lambda: later):
        assert heading(open_link(client, code)) == DEAD


def test_a_code_is_not_sent_to_another_portal(client, config):
    PortalConfigFactory(slug="other-portal")
    code = mint(config).secret
    landing = open_link(client, code)
    answer = press_continue(client, landing, "other-portal")
    assert answer.status_code == 401
    assert heading(answer) == DEAD
    enter(client, code)
