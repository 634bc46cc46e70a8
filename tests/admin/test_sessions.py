"""Sessions in the admin: to look at, to search and to end (ui-spec 2.5; security rows 7, 18, 19, 28, 45)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.test import Client
from django.utils import timezone

from portal import clock
from portal.admin import paging
from portal.models import PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

from .rows import SESSIONS, address, assert_strict, cells, hidden, staff, text

pytestmark = pytest.mark.django_db

State = PortalSession.State


@pytest.fixture
def one_of_each(config):
    """Return a session in each state, by state."""
    long_ago = clock.now() - timedelta(days=2)
    with clock.using(lambda: long_ago):
        code_expired, expired = mint(config, "u_code_expired").row, sign_in(config, "u_expired").row
    sessions = [code_expired, expired, mint(config, "u_pending").row, sign_in(config, "u_active").row]
    revoked = sign_in(config, "u_revoked").row
    revoked.revoke()
    by_state = {session.state(): session for session in [*sessions, revoked]}
    assert set(by_state) == set(State)
    return by_state


def change(session) -> str:
    return f"{SESSIONS}{session.pk}/change/"


def end(session) -> str:
    return f"{SESSIONS}{session.pk}/end/"


def test_the_list_shows_the_newest_first_with_what_operators_ask_for(operator, config, one_of_each):
    preview = mint(config, "u_preview", granted=["keys:read"], preview=True).row
    page = operator.get(SESSIONS)
    assert cells(page, "external_id") == [
        "u_preview",
        "u_revoked",
        "u_active",
        "u_pending",
        "u_expired",
        "u_code_expired",
    ]
    assert cells(page, "session_state") == ["Pending", "Revoked", "Active", "Pending", "Expired", "Code expired"]
    assert cells(page, "portal") == ["my-portal"] * 6
    assert cells(page, "granted")[0] == "keys:read"
    assert cells(page, "is_preview") == ["Preview", *[""] * 5]
    assert address(page, "u_preview") == change(preview)
    assert_strict(page)


@pytest.mark.parametrize("state", State.values)
def test_the_state_filter_and_the_state_of_a_row_are_one_thing(operator, one_of_each, state):
    page = operator.get(SESSIONS, {"state": state})
    assert cells(page, "external_id") == [one_of_each[state].external_id]
    # Also at the moments at which the state changes.
    active, pending = one_of_each[State.ACTIVE], one_of_each[State.PENDING]
    for moment in (active.expires_at, pending.code_expires_at, pending.code_expires_at - timedelta(milliseconds=1)):
        with clock.using(lambda moment=moment: moment):
            listed = {row.external_id for row in PortalSession.objects.in_state(state)}
            assert listed == {row.external_id for row in PortalSession.objects.all() if row.state() == state}


def test_an_unknown_state_is_nobodys(operator, one_of_each):
    page = operator.get(SESSIONS, {"state": "asleep"})
    assert "Nothing found." in text(page)
    assert cells(page, "external_id") == []


@pytest.mark.parametrize("external_id", ["john doe", "ps_short", "Ärger", "100%", "a_b", "'quoted'"])
def test_search_finds_a_whole_external_id_and_nothing_else(operator, config, external_id):
    other = PortalConfigFactory()
    mint(config, external_id)
    mint(other, external_id)
    for near in (external_id.upper(), external_id + "x", "x" + external_id, external_id.replace("_", "x")):
        if near != external_id:
            mint(config, near)
    page = operator.get(SESSIONS, {"q": f" {external_id} "})
    assert cells(page, "external_id") == [external_id] * 2
    assert cells(page, "portal") == [other.slug, config.slug]
    assert "Nothing found." in text(operator.get(SESSIONS, {"q": external_id[:-1]}))


def test_search_finds_a_session_by_its_id_and_in_a_filter_only_what_is_there(operator, config):
    session = mint(config, "user_1").row
    mint(config, "user_2")
    page = operator.get(SESSIONS, {"q": session.public_id})
    assert cells(page, "external_id") == ["user_1"]
    page = operator.get(SESSIONS, {"q": "user_1", "state": "active"})
    assert cells(page, "external_id") == []
    assert len(cells(operator.get(SESSIONS, {"q": " "}), "external_id")) == 2


def test_filters_by_portal_and_by_root_key(operator, config, root_key):
    other = PortalConfigFactory()
    key = root_key.row
    mint(config, "here", minted_by=key.pk)
    mint(other, "there")
    assert cells(operator.get(SESSIONS, {"portal": other.public_id}), "external_id") == ["there"]
    assert cells(operator.get(SESSIONS, {"root_key": key.public_id}), "external_id") == ["here"]
    assert cells(operator.get(SESSIONS, {"root_key": key.public_id, "portal": other.public_id}), "external_id") == []
    assert cells(operator.get(SESSIONS, {"portal": "prt_unknown"}), "external_id") == []
    assert cells(operator.get(SESSIONS, {"portal": ""}), "external_id") == ["there", "here"]
    page = operator.get(SESSIONS)
    assert cells(operator.get(SESSIONS + address(page, other.slug)), "external_id") == ["there"]
    assert cells(operator.get(SESSIONS + address(page, key.name)), "external_id") == ["here"]


def test_filter_by_date_finds_exactly_the_days(operator, config):
    # Yesterday, which has an end in every time zone: the filter ends with today.
    noon = (clock.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    # More than the halving leaves to chance, out of order as two servers' clocks make them.
    PortalSession.objects.bulk_create(
        PortalSession(
            config=config,
            external_id=f"number {number}",
            permissions=[],
            code_hash=number.to_bytes(32),
            code_expires_at=noon,
            created_at=noon - timedelta(minutes=2 * number - 4 * (number % 2)),
        )
        for number in range(3000, 0, -1)
    )
    for first, last in ((1, 1), (3, 3), (1, None), (None, 3)):
        days = {"from": first, "to": last}
        days = {name: (noon - timedelta(days=ago)).date() for name, ago in days.items() if ago is not None}
        expected = PortalSession.objects.all()
        if first is not None:
            expected = expected.filter(created_at__date__gte=days["from"])
        if last is not None:
            expected = expected.filter(created_at__date__lte=days["to"])
        expected = list(expected.order_by("-pk").values_list("external_id", flat=True))
        assert expected
        found, page = [], operator.get(SESSIONS, days)
        found += cells(page, "external_id")
        while ">Older<" in page.content.decode():
            page = operator.get(SESSIONS + address(page, "Older"))
            found += cells(page, "external_id")
        assert found == expected


def test_the_dates_stay_in_the_form_with_the_other_filters(operator, config):
    mint(config)
    page = operator.get(SESSIONS, {"from": "2026-01-02", "to": "2026-01-03", "state": "active", "q": "x"})
    html = page.content.decode()
    form = html[html.index('class="portal-dates"') :]
    assert 'name="from" value="2026-01-02"' in form
    assert 'name="to" value="2026-01-03"' in form
    assert '<input type="hidden" name="state" value="active">' in form
    assert '<input type="hidden" name="q" value="x">' in form
    assert address(page, "Any time") == "?q=x&state=active"
    today = operator.get(SESSIONS + address(operator.get(SESSIONS), "Today"))
    assert cells(today, "external_id") == ["user_123"]


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-02-30",
        "to=9999-12-31",
        "from=0001-01-01",
        "portal=prt_%00",
        "root_key=%00",
        "state=%00",
    ],
)
def test_what_is_no_filter_leads_back_to_the_whole_list(operator, config, query):
    mint(config)
    answer = operator.get(f"{SESSIONS}?{query}")
    assert (answer.status_code, answer["Location"]) == (302, f"{SESSIONS}?e=1")
    assert cells(operator.get(answer["Location"]), "external_id") == ["user_123"]


@pytest.mark.parametrize("query", ["external_id__contains=u", "metadata__a=1", "config__slug=x", "minted_by__name=x"])
def test_no_other_column_can_be_asked_for_in_the_address(operator, config, query):
    mint(config)
    assert operator.get(f"{SESSIONS}?{query}").status_code == 400


def test_no_other_order_can_be_asked_for(operator, config):
    for external_id in ("b", "a", "c"):
        mint(config, external_id)
    assert cells(operator.get(SESSIONS, {"o": "2"}), "external_id") == ["c", "a", "b"]


def test_pages_hold_fifty_and_lead_on(operator, config):
    for number in range(101):
        mint(config, f"user_{number}")
    first = operator.get(SESSIONS)
    assert cells(first, "external_id") == [f"user_{number}" for number in range(100, 50, -1)]
    assert ">Newest<" not in first.content.decode()
    second = operator.get(SESSIONS + address(first, "Older"))
    assert cells(second, "external_id") == [f"user_{number}" for number in range(50, 0, -1)]
    third = operator.get(SESSIONS + address(second, "Older"))
    assert cells(third, "external_id") == ["user_0"]
    assert ">Older<" not in third.content.decode()
    assert cells(operator.get(SESSIONS + address(third, "Newest")), "external_id") == cells(first, "external_id")
    for page in ("-3", "x", "0", "1", "9" * 30, "9" * 5000):
        assert cells(operator.get(SESSIONS, {"p": page}), "external_id") == cells(first, "external_id")


def test_a_rare_row_is_found_by_looking_further_back(operator, config, monkeypatch):
    monkeypatch.setattr(paging, "STEP", 5)
    monkeypatch.setattr(paging, "STEPS", 3)
    ended = mint(config, "needle").row
    ended.revoke()
    for number in range(40):
        mint(config, f"user_{number}")
    page, looked = operator.get(SESSIONS, {"state": "revoked"}), 1
    while cells(page, "external_id") == []:
        assert "The search stopped here" in text(page)
        page, looked = operator.get(SESSIONS + address(page, "Look further back")), looked + 1
    assert (cells(page, "external_id"), looked) == (["needle"], 3)
    assert "The search stopped here" not in text(page)
    # The portal's sessions are found by its index, however far back.
    other = PortalConfigFactory()
    mint(other, "other portal")
    for number in range(40):
        mint(config, f"later_{number}")
    assert cells(operator.get(SESSIONS, {"portal": other.public_id}), "external_id") == ["other portal"]
    # In steps, a page may also be full: 50 of them, and the rest behind "Older".
    monkeypatch.setattr(paging, "STEPS", 30)
    page = operator.get(SESSIONS, {"state": "pending"})
    assert len(cells(page, "external_id")) == 50
    rest = operator.get(SESSIONS + address(page, "Older"))
    assert len(cells(rest, "external_id")) == 31
    assert ">Older<" not in rest.content.decode()


def test_steps_end_where_a_date_begins(operator, config, monkeypatch):
    monkeypatch.setattr(paging, "_CLOSE", 1)
    monkeypatch.setattr(paging, "STEP", 1)
    monkeypatch.setattr(paging, "STEPS", 5)
    long_ago = clock.now() - timedelta(days=3)
    with clock.using(lambda: long_ago):
        for number in range(20):
            mint(config, f"before_{number}").row.revoke()
    mint(config, "today").row.revoke()
    page = operator.get(SESSIONS, {"state": "revoked", "from": timezone.localdate(clock.now())})
    assert cells(page, "external_id") == ["today"]
    assert "The search stopped here" not in text(page)


def test_an_empty_table_is_no_fault(operator):
    for query in ({}, {"state": "active"}, {"from": "2026-01-01"}, {"q": "x"}):
        assert "Nothing found." in text(operator.get(SESSIONS, query))


def test_the_object_page_shows_all_but_the_secrets(operator, config, root_key):
    session, code = mint(config, display_name="Ada", minted_by=root_key.row.pk)
    session, token = PortalSession.objects.exchange(code)
    page = operator.get(change(session))
    shown = text(page)
    for word in (session.public_id, "Active", "Ada", "user_123", "Northwind Maps", "Backend", "keys:read"):
        assert word in shown
    html = page.content.decode() + operator.get(SESSIONS).content.decode()
    for secret in (code, token, bytes(session.code_hash).hex(), bytes(session.token_hash).hex()):
        assert secret not in html
    assert "hash" not in shown.lower()
    assert "name=" not in html[html.index("<fieldset") : html.rindex("</fieldset>")]
    assert_strict(page)
    events = operator.get(address(page, "Events"))
    assert cells(events, "session_id") == [session.public_id] * 2


def test_row_18_ending_selected_sessions_asks_and_then_ends_them(operator, one_of_each, config):
    kept = sign_in(config, "kept").row
    chosen = [one_of_each[state].pk for state in (State.ACTIVE, State.PENDING, State.EXPIRED)]
    data = {"action": "end_selected", "_selected_action": chosen}
    asked = operator.post(SESSIONS, data)
    assert asked.status_code == 200
    assert "End 2 live sessions?" in text(asked)
    assert "u_active · my-portal · Active" in text(asked)
    assert PortalSession.objects.live().count() == 3
    assert_strict(asked)
    form = {**hidden(asked), "_selected_action": chosen}
    answer = operator.post(SESSIONS, form, follow=True)
    assert "2 sessions ended." in answer.content.decode()
    assert list(PortalSession.objects.live()) == [kept]
    events = PortalEvent.objects.filter(detail__reason="revoked_by_operator")
    # Each in its own event, so that the trail of each portal and each user tells of it.
    assert {(event.session_id, event.external_id, event.portal_id) for event in events} == {
        (one_of_each[state].public_id, one_of_each[state].external_id, config.public_id)
        for state in (State.ACTIVE, State.PENDING)
    }
    assert {(event.kind, event.actor_kind, event.actor_id, event.address) for event in events} == {
        ("session.revoked", "operator", "ada", "127.0.0.1")
    }


def test_only_what_was_ticked_ends(operator, config):
    ticked, other = sign_in(config, "ticked").row, sign_in(config, "other").row
    data = {"action": "end_selected", "confirmed": "yes", "select_across": "1", "_selected_action": [ticked.pk]}
    operator.post(SESSIONS, data)
    assert list(PortalSession.objects.live()) == [other]


def test_row_19_the_token_of_an_ended_session_is_dead_at_once(operator, api, config):
    session, token = sign_in(config)
    assert api("getSession", token=token).status_code == 200
    asked = operator.get(end(session))
    assert "End the session of user_123 at Northwind Maps?" in text(asked)
    assert address(asked, "No, take me back") == change(session)
    assert api("getSession", token=token).status_code == 200
    assert_strict(asked)
    answer = operator.post(end(session), follow=True)
    assert "The session has ended." in answer.content.decode()
    assert "Revoked" in text(answer)
    assert (
        Client()
        .post("/v2/portal.getSession", "{}", "application/json", headers={"Authorization": f"Bearer {token}"})
        .status_code
        == 401
    )
    event = PortalEvent.objects.get(kind="session.revoked")
    assert (event.actor_id, event.address, event.session_id) == ("ada", "127.0.0.1", session.public_id)
    assert "End session" not in text(answer)
    again = operator.post(end(session), follow=True)
    assert "The session had ended before." in again.content.decode()
    assert PortalEvent.objects.filter(kind="session.revoked").count() == 1


def test_only_a_live_session_has_the_button(operator, one_of_each):
    for state, session in one_of_each.items():
        live = state in {State.ACTIVE, State.PENDING}
        assert (">End session<" in operator.get(change(session)).content.decode()) is live


def test_whoever_may_only_look_ends_nothing(config):
    session = sign_in(config).row
    viewer = staff("view_portalsession")
    page = viewer.get(SESSIONS)
    assert cells(page, "external_id") == ["user_123"]
    assert "End selected" not in page.content.decode()
    assert 'name="action"' not in page.content.decode()
    detail = viewer.get(change(session))
    assert detail.status_code == 200
    assert ">End session<" not in detail.content.decode()
    assert ">Events<" not in detail.content.decode()
    viewer.post(SESSIONS, {"action": "end_selected", "confirmed": "yes", "_selected_action": [session.pk]})
    assert viewer.get(end(session)).status_code == 403
    assert viewer.post(end(session)).status_code == 403
    assert PortalSession.objects.live().count() == 1


def test_whoever_may_change_sessions_ends_them_and_edits_nothing(config):
    session = sign_in(config).row
    helper = staff("change_portalsession")
    assert ">End session<" in helper.get(change(session)).content.decode()
    assert helper.post(change(session), {"external_id": "stolen"}).status_code == 403
    assert helper.post(end(session)).status_code == 302
    assert PortalSession.objects.live().count() == 0


def test_without_a_permission_nothing_is_shown(config):
    session = sign_in(config).row
    stranger = staff()
    for path in (SESSIONS, change(session), end(session)):
        assert stranger.get(path).status_code == 403
        assert Client().get(path)["Location"].startswith("/admin/login/")


def test_nobody_adds_edits_or_deletes_sessions(operator, config):
    session = sign_in(config).row
    for path in (f"{SESSIONS}add/", f"{SESSIONS}{session.pk}/delete/"):
        assert operator.get(path).status_code == 403
        assert operator.post(path, {"post": "yes"}).status_code == 403
    assert operator.post(change(session), {"external_id": "stolen"}).status_code == 403
    operator.post(SESSIONS, {"action": "delete_selected", "post": "yes", "_selected_action": [session.pk]})
    assert PortalSession.objects.get().external_id == "user_123"


def test_a_session_that_is_gone_is_not_found(operator, config):
    session = sign_in(config).row
    page = end(session)
    session.delete()
    assert operator.get(page).status_code == operator.post(page).status_code == 404


def test_more_portals_than_are_listed_are_reached_by_their_id(operator, config):
    for _ in range(101):
        last = PortalConfigFactory()
    mint(last, "found")
    issue_root_key()
    page = operator.get(SESSIONS)
    assert page.content.decode().count("?portal=prt_") == 100
    assert cells(operator.get(SESSIONS, {"portal": last.public_id}), "external_id") == ["found"]


def test_a_host_may_decide_session_by_session(operator, config, monkeypatch):
    allowed, denied = sign_in(config).row, sign_in(config).row
    model_admin = site.get_model_admin(PortalSession)
    monkeypatch.setattr(model_admin, "has_view_permission", lambda request, obj=None: obj != denied)
    assert operator.post(f"{SESSIONS}{denied.pk}/end/").status_code == 403
    assert operator.post(f"{SESSIONS}{allowed.pk}/end/").status_code == 302
    denied.refresh_from_db()
    assert denied.state() == PortalSession.State.ACTIVE
