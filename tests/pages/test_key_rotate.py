"""Rotating a key (ui-spec 2.4, Rotate): the old secret stays as long as its owner chose, and never stops by accident."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal import clock
from portal.keystore import get_key_store
from portal.keystore.base import Owner
from portal.models import PortalEvent
from tests.factories import sign_in
from tests.pages.flow import heading
from tests.pages.key_flow import WithoutGrace, form_of, send, stored, texts, use_store
from tests.pages.shelf import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store", "signed_in")]

NOON = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


def rotate(key):
    return f"/my-portal/keys/{key.id}/rotate/"


def only(config):
    (key,) = stored(config)
    return key


def test_the_form_says_what_happens_and_when(client, config):
    with clock.using(lambda: NOON):
        client.cookies["portal_session"] = sign_in(config).secret
        key = put(config, "Production <server>", used=timedelta(hours=2))
        answer = client.get(rotate(key))
    html = texts(answer)
    assert (answer.status_code, heading(answer)) == (200, "Rotate Production <server>")
    assert "<title>Rotate Production <server> – Northwind Maps</title>" in html
    assert "The key gets a new secret and keeps its name, limits and permissions." in html
    offered = re.findall(r'name="grace" value="(\d+)".*?<label [^>]*>(.*?)</label>(.*?)</div></div>', html)
    assert [(value, label) for value, label, _ in offered] == [
        ("0", "At once"),
        ("900", "In 15 minutes"),
        ("3600", "In 1 hour"),
        ("86400", "In 24 hours"),
        ("604800", "In 7 days"),
    ]
    moments = [re.search(r'datetime="([^"]*)"', hint) for _, _, hint in offered]
    assert [found and found[1] for found in moments] == [
        None,
        "2026-05-20T12:15:00Z",
        "2026-05-20T13:00:00Z",
        "2026-05-21T12:00:00Z",
        "2026-05-27T12:00:00Z",
    ]
    assert form_of(answer)["grace"] == ["86400"]
    assert f"{key.start}••••" in html
    assert "2 hours ago" in html
    assert "Stop it at once anyway" not in html


@pytest.mark.parametrize(
    ("periods", "labels", "chosen"),
    [
        ([30, 90, 5400], ["In 30 seconds", "In 90 seconds", "In 90 minutes"], "5400"),
        ([60, 172800, 180000], ["In 1 minute", "In 2 days", "In 50 hours"], "60"),
        ([0], ["At once"], "0"),
    ],
)
def test_the_operators_periods(client, config, periods, labels, chosen):
    config.key_grace_periods = periods
    config.save()
    answer = client.get(rotate(put(config, "Production server")))
    assert re.findall(r'<label for="id_grace_\d">(.*?)</label>', texts(answer)) == labels
    assert form_of(answer)["grace"] == [chosen]


@pytest.mark.parametrize("grace", ["900", "604800"])
def test_the_old_secret_stays_as_long_as_was_chosen(client, config, grace):
    key = put(config, "Production server", permissions=("maps.read",))
    before = clock.now()
    answer = send(client, rotate(key), grace=grace)
    assert answer.status_code == 200
    now = only(config)
    assert (now.id, now.name, now.expires_at, now.permissions) == (key.id, key.name, key.expires_at, key.permissions)
    assert now.start != key.start
    assert now.old_secret.start == key.start
    assert before <= now.old_secret.ends_at - timedelta(seconds=int(grace)) <= clock.now()
    event = PortalEvent.objects.get(kind=PortalEvent.Kind.KEY_ROTATED)
    assert (event.detail["key_id"], event.external_id) == (key.id, "user_123")


def test_at_once(client, config):
    key = put(config, "Production server", used=timedelta(hours=1))
    assert send(client, rotate(key), grace="0").status_code == 200
    assert only(config).old_secret is None
    assert only(config).start != key.start


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (timedelta(minutes=59, seconds=59), "This key was used 59 minutes ago."),
        (timedelta(minutes=1), "This key was used 1 minute ago."),
        (timedelta(seconds=59), "This key was used less than a minute ago."),
        # Another machine's clock.
        (timedelta(minutes=-5), "This key was used less than a minute ago."),
    ],
)
def test_a_key_in_use_is_asked_about_once_more(client, config, used, words):
    with clock.using(lambda: NOON):
        client.cookies["portal_session"] = sign_in(config).secret
        key = put(config, "Production server", used=used)
        asked = send(client, rotate(key), grace="0")
        message = f"{words} Choose a later time, or tick the box to stop it at once."
        assert asked.status_code == 422
        assert f'<a href="#id_grace_0">{message}</a>' in texts(asked)
        assert f'id="id_grace_error">{message}</p>' in texts(asked)
        assert "Stop it at once anyway" in texts(asked)
        assert only(config).start == key.start
        form = form_of(asked)
        assert form["grace"] == ["0"]
        assert "anyway" not in form
        # Again without the tick, then with it: the same form.
        assert send(client, rotate(key), form).status_code == 422
        assert send(client, rotate(key), form, anyway="on").status_code == 200
    assert only(config).old_secret is None


def test_a_key_in_use_with_a_later_time_is_not_asked_about(client, config):
    key = put(config, "Production server", used=timedelta(minutes=7))
    assert send(client, rotate(key), grace="900").status_code == 200


def test_where_there_is_no_later_time_the_question_offers_none(client, config):
    config.key_grace_periods = [0]
    config.save()
    key = put(config, "Production server", used=timedelta(minutes=7))
    asked = send(client, rotate(key))
    message = "This key was used 7 minutes ago. Tick the box to stop it at once."
    assert asked.status_code == 422
    assert f'<a href="#id_anyway">{message}</a>' in texts(asked)
    assert 'aria-invalid="true" aria-describedby="id_anyway_error"' in texts(asked)
    assert send(client, rotate(key), form_of(asked), anyway="on").status_code == 200


def test_a_store_without_grace(client, config, settings):
    use_store(settings, WithoutGrace)
    key = put(config, "Production server", used=timedelta(minutes=7))
    page = client.get(rotate(key))
    assert "The old secret stops working at once." in texts(page)
    assert "grace" not in form_of(page)
    asked = send(client, rotate(key))
    assert asked.status_code == 422
    assert "This key was used 7 minutes ago. Tick the box to stop it at once." in texts(asked)
    assert send(client, rotate(key), form_of(asked), anyway="on").status_code == 200
    assert only(config).old_secret is None


@pytest.mark.parametrize("grace", [None, "", "1", "7", "-1", "86400.0"])
def test_a_time_has_to_be_chosen(client, config, grace):
    key = put(config, "Production server")
    answer = send(client, rotate(key), grace=grace)
    assert answer.status_code == 422
    assert '<a href="#id_grace_0">Choose when the old secret stops working</a>' in texts(answer)
    assert "<title>Error: Rotate Production server – Northwind Maps</title>" in texts(answer)
    assert only(config).start == key.start


def test_a_second_rotation_says_what_becomes_of_the_first(client, config):
    key = put(config, "Production server", grace=timedelta(hours=3))
    html = texts(client.get(rotate(key)))
    assert f">{key.old_secret.start}••••</code>) works until" in html
    assert "If you rotate again, it stops working at once." in html
    assert "If you rotate again" not in texts(client.get(rotate(put(config, "Other"))))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ends": timedelta(days=-3)}, "This key has expired. Give it a later end, then rotate it."),
        ({"enabled": False}, "This key is switched off. Switch it on, then rotate it."),
    ],
)
def test_a_key_that_is_not_active_leads_to_edit(client, config, values, words):
    key = put(config, "Production server", **values)
    answer = client.get(rotate(key))
    assert (answer.status_code, heading(answer)) == (409, "Rotate Production server")
    assert words in texts(answer)
    assert f'href="/my-portal/keys/{key.id}/edit/"' in texts(answer)
    client.cookies["portal_session"] = sign_in(config, granted=["keys:read", "keys:reroll"]).secret
    assert "/edit/" not in texts(client.get(rotate(key)))


def test_a_key_that_is_disabled_meanwhile(client, config):
    key = put(config, "Production server")
    form = form_of(client.get(rotate(key)))
    get_key_store().update_key(Owner(config, "user_123"), key.id, {"enabled": False})
    answer = send(client, rotate(key), form)
    assert answer.status_code == 409
    assert "This key is switched off." in texts(answer)
    assert only(config).start == key.start


def test_a_locked_key_is_not_rotated(client, config):
    key = put(config, "Production server", locked=True)
    assert client.get(rotate(key)).status_code == 403
    assert heading(client.get(rotate(key))) == "This key is locked"


def test_the_form_rotates_once(client, config):
    key = put(config, "Production server")
    form = form_of(client.get(rotate(key)))
    assert client.post(rotate(key), form).status_code == 200
    rotated = only(config)
    again = client.post(rotate(key), form)
    assert (again.status_code, heading(again)) == (409, "This key was already shown")
    assert "<bdi>Production server</bdi>" in texts(again)
    assert f'href="{rotate(key)}"' in texts(again)
    assert only(config) == rotated


def test_a_form_without_its_number_rotates_nothing(client, config):
    key = put(config, "Production server")
    answer = send(client, rotate(key), request_id="made up")
    assert (answer.status_code, heading(answer)) == (400, "That didn’t work")
    assert only(config).start == key.start


@pytest.mark.parametrize("grace", ["0", "86400"])
def test_row_34_where_a_frame_may_be_a_press_alone_rotates_nothing(client, config, grace):
    key = put(config, "Production server")
    assert "Yes, make a new secret for this key." not in texts(client.get(rotate(key)))
    config.frame_ancestors = ["https://app.example.com"]
    config.save()
    answer = client.get(rotate(key))
    assert form_of(answer).keys().isdisjoint({"wanted", "anyway"})
    asked = send(client, rotate(key), form_of(answer), grace=grace)
    assert asked.status_code == 422
    assert '<a href="#id_wanted">Tick the box to confirm</a>' in texts(asked)
    assert only(config).start == key.start
    assert send(client, rotate(key), form_of(asked), grace=grace, wanted="on").status_code == 200
    assert only(config).start != key.start
