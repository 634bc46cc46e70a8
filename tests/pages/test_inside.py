"""Being inside and leaving (security rows 16 to 18, design decisions 14 and 16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import signing
from django.db import DatabaseError, connection

from portal import clock
from portal.authenticate import authenticate_session
from portal.models import PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, mint, sign_in
from tests.pages.flow import enter, field, heading, open_link, press_continue

pytestmark = pytest.mark.django_db


def sign_out(client, slug="my-portal", **headers):
    html = client.get(f"/{slug}/session/").content.decode()
    return client.post(f"/{slug}/session/end/", {"form_token": field(html, "form_token")}, headers=headers)


def test_the_session_page_says_who_what_and_until_when(client, config):
    enter(client, mint(config, "user_123", ["keys:read"], display_name="Ada Wong").secret)
    answer = client.get("/my-portal/session/")
    html = answer.content.decode()
    assert heading(answer) == "Your session"
    assert "Ada Wong" in html
    assert "user_123" in html
    # In UTC, whatever the host's TIME_ZONE is.
    assert PortalSession.objects.get().expires_at.strftime("%H:%M UTC") in html
    assert "Sign out" in html


def test_row_35_text_from_callers_is_text(client, config):
    enter(client, mint(config, "<script>alert(1)</script>\u202e").secret)
    html = client.get("/my-portal/session/").content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
    assert "<bdi>" in html


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u00ad", "\U000e0041"])
def test_row_35_what_hides_in_a_name_is_shown(client, config, mark):
    named = f"[U+{ord(mark):04X}]"
    code = mint(config, f"user{mark}321", display_name=f"Eve{mark}evE").secret
    landing = open_link(client, code)
    press_continue(client, landing)
    another = open_link(client, mint(config, f"user{mark}654").secret)
    inside = client.get("/my-portal/session/")
    client.cookies["portal_session"] = sign_in(config, f"user{mark}321", preview=True).secret
    preview = client.get("/my-portal/session/")
    for page, names in (
        (landing, [f"Eve{named}evE"]),
        (another, [f"Eve{named}evE", f"user{named}654"]),
        (inside, [f"Eve{named}evE", f"user{named}321"]),
        (preview, [f"user{named}321"]),
    ):
        html = page.content.decode()
        assert mark not in html
        assert [name for name in names if name not in html] == []


def test_row_35_joiners_are_text(client, config):
    enter(client, mint(config, "user_1", display_name="می\u200cخواهم 👩\u200d💻").secret)
    assert "می\u200cخواهم 👩\u200d💻" in client.get("/my-portal/session/").content.decode()


def test_pages_cost_two_queries(client, config, django_assert_num_queries):
    enter(client, mint(config).secret)
    # The portal and the session.
    with django_assert_num_queries(2):
        client.get("/my-portal/session/")


def test_pages_go_by_the_cookie_only(client, config):
    token = sign_in(config).secret
    bearer = {"headers": {"Authorization": f"Bearer {token}"}}
    assert client.get("/my-portal/session/", **bearer).status_code == 401
    client.cookies["portal_session"] = token
    basic = {"headers": {"Authorization": "Basic c3RhZ2luZzpzdGFnaW5n"}}
    assert client.get("/my-portal/session/", **basic).status_code == 200


def test_row_16_sign_out_ends_the_session_on_the_server(client, config):
    token = enter(client, mint(config).secret)
    answer = sign_out(client)
    assert (answer.status_code, answer["Location"]) == (303, "/my-portal/signed-out/")
    assert answer.cookies["portal_session"].value == ""
    assert answer.cookies["portal_session"]["max-age"] == 0
    assert authenticate_session(token) is None
    assert PortalEvent.objects.filter(kind=PortalEvent.Kind.SESSION_SIGNED_OUT).count() == 1
    page = client.get("/my-portal/signed-out/")
    assert heading(page) == "You are signed out"
    assert 'href="https://app.example.com/settings"' in page.content.decode()


def test_back_after_signing_out_says_that_and_not_that_the_session_ran_out(client, config):
    enter(client, mint(config).secret)
    sign_out(client)
    answer = client.get("/my-portal/keys/")
    assert (answer.status_code, heading(answer)) == (401, "You are signed out")
    assert 'href="https://app.example.com/settings"' in answer.content.decode()
    # A form is lost all the same; and the next session is another one.
    assert "Your change was not saved." in client.post("/my-portal/keys/new/").content.decode()
    enter(client, mint(config).secret)
    del client.cookies["portal_session"]
    assert heading(client.get("/my-portal/keys/")) == "Your session has ended"


def test_a_way_back_of_an_earlier_version_is_read(client, config):
    client.cookies["portal_return"] = signing.dumps(["my-portal", ""], salt="portal.pages.way_back")
    assert heading(client.get("/my-portal/keys/")) == "Your session has ended"


def test_row_15_sign_out_from_elsewhere_ends_nothing(client, config):
    token = enter(client, mint(config).secret)
    assert sign_out(client, Origin="https://evil.example").status_code == 403
    assert client.post("/my-portal/session/end/").status_code == 403
    assert client.post("/my-portal/session/end/", {"form_token": "0" * 64}).status_code == 403
    assert client.get("/my-portal/session/end/").status_code == 405
    assert authenticate_session(token) is not None


def test_signing_out_twice_is_fine(client, config):
    enter(client, mint(config).secret)
    html = client.get("/my-portal/session/").content.decode()
    form = {"form_token": field(html, "form_token")}
    for _ in range(2):
        assert client.post("/my-portal/session/end/", form).status_code == 303


def test_decision_18_signing_out_succeeds_when_the_event_cannot_be_written(client, config, caplog):
    token = enter(client, mint(config).secret)
    html = client.get("/my-portal/session/").content.decode()

    def no_events(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "portal_portalevent" in sql:
            raise DatabaseError("the audit table is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(no_events):
        answer = client.post("/my-portal/session/end/", {"form_token": field(html, "form_token")})
    assert answer.status_code == 303
    assert authenticate_session(token) is None
    assert "the event could not be written" in caplog.text


def test_f23_minting_and_exchanging_are_undone_when_the_event_cannot_be_written(client, config, api, root_key):
    def no_events(execute, sql, params, many, context):
        if "INSERT INTO" in sql and "portal_portalevent" in sql:
            raise DatabaseError("the audit table is full")
        return execute(sql, params, many, context)

    code = mint(config).secret
    body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
    with connection.execute_wrapper(no_events):
        assert api("createSession", body, token=root_key.secret).status_code >= 500
        assert api("exchangeSession", {"sessionId": code}).status_code >= 500
    assert PortalSession.objects.count() == 1
    assert api("exchangeSession", {"sessionId": code}).status_code == 200


def test_another_portals_session_does_not_count_here(client, config):
    PortalConfigFactory(slug="other-portal")
    token = enter(client, mint(config).secret)
    answer = client.get("/other-portal/session/")
    assert answer.status_code == 401
    html = client.get("/my-portal/session/").content.decode()
    form = {"form_token": field(html, "form_token")}
    assert client.post("/other-portal/session/end/", form).status_code == 303
    assert authenticate_session(token) is not None


def test_a_portal_closed_while_somebody_is_inside(client, config):
    enter(client, mint(config).secret)
    config.enabled = False
    config.save()
    for path in ("/my-portal/", "/my-portal/session/", "/my-portal/signed-out/"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert heading(answer) == "This portal is closed"


def test_an_ended_session_leads_back_with_the_reason(client, config):
    session, token = sign_in(config)
    client.cookies["portal_session"] = token
    with clock.using(lambda: session.expires_at):
        answer = client.get("/my-portal/session/")
    assert answer.status_code == 401
    assert heading(answer) == "Your session has ended"
    assert answer["WWW-Authenticate"] == 'Bearer realm="portal"'
    assert 'href="https://app.example.com/settings?reason=session_expired"' in answer.content.decode()


def test_the_sessions_own_way_back_outlives_its_cookie(client, config):
    enter(client, mint(config, return_url="https://app.example.com/team?id=7#keys").secret)
    assert 'href="https://app.example.com/team?id=7#keys"' in client.get("/my-portal/session/").content.decode()
    # The browser drops the cookie when it runs out; the way back stays for 30 days.
    del client.cookies["portal_session"]
    answer = client.get("/my-portal/session/")
    assert heading(answer) == "Your session has ended"
    expected = "https://app.example.com/team?id=7&amp;reason=session_expired#keys"
    assert f'href="{expected}"' in answer.content.decode()


def test_row_39_a_kept_way_back_is_checked_again(client, config):
    enter(client, mint(config, return_url="https://app.example.com/team").secret)
    del client.cookies["portal_session"]
    config.return_origins, config.return_url = ["https://new.example.com"], ""
    config.save()
    html = client.get("/my-portal/session/").content.decode()
    assert "app.example.com" not in html
    assert "Back to" not in html


def test_row_39_a_forged_way_back_is_none(client, config):
    client.cookies["portal_return"] = "WyJteS1wb3J0YWwiLCJodHRwczovL2V2aWwuZXhhbXBsZSJd:1:x"
    answer = client.get("/my-portal/session/")
    assert heading(answer) == "Open this page from Northwind Maps"
    assert b"evil" not in answer.content


def test_the_way_back_of_another_portal_is_not_used(client, config):
    other = PortalConfigFactory(slug="other-portal", return_url="https://app.example.com/other")
    enter(client, mint(other, return_url="https://app.example.com/secret").secret, "other-portal")
    answer = client.get("/my-portal/session/")
    assert b"/secret" not in answer.content
    assert b"/settings" in answer.content


def test_the_query_sets_no_way_back(client, config):
    answer = client.get("/my-portal/signed-out/?return_url=https://evil.example&returnUrl=https://evil.example")
    assert b"evil" not in answer.content


def test_decision_15_a_preview_carries_its_banner(client, config):
    enter(client, mint(config, preview=True).secret)
    assert "Preview" in client.get("/my-portal/session/").content.decode()


def test_the_way_back_is_kept_for_thirty_days(client, config):
    enter(client, mint(config).secret)
    cookie = client.cookies["portal_return"]
    assert (cookie["httponly"], cookie["max-age"]) == (True, 30 * 24 * 3600)
    del client.cookies["portal_session"]
    later = clock.now() + timedelta(days=2)
    with clock.using(lambda: later):
        assert heading(client.get("/my-portal/")) == "Your session has ended"
