"""Editing a key (ui-spec 2.4, Edit): what is left alone stays, and nobody writes over what they have not seen."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from portal import clock
from portal.keystore import get_key_store
from portal.keystore.base import Owner
from portal.models import PortalEvent
from tests import doubles
from tests.factories import sign_in
from tests.pages.flow import heading
from tests.pages.key_flow import ReadOnly, WithoutPermissions, buttons_of, form_of, send, stored, texts, use_store
from tests.pages.shelf import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store", "signed_in")]


@pytest.fixture
def config(config):
    config.key_permissions = ["maps.read", "maps.write"]
    config.save()
    return config


def edit(key):
    return f"/my-portal/keys/{key.id}/edit/"


def only(config):
    (key,) = stored(config)
    return key


def test_the_form_shows_the_key(client, config):
    key = put(config, "Production <server>", permissions=("maps.write",), used=timedelta(hours=2))
    answer = client.get(edit(key))
    assert (answer.status_code, heading(answer)) == (200, "Edit Production <server>")
    assert "<title>Edit Production <server> – Northwind Maps</title>" in texts(answer)
    form = form_of(answer)
    assert form["name"] == ["Production <server>"]
    assert form["expires"] == ["keep"]
    assert form["permissions"] == ["maps.write"]
    assert form["enabled"] == ["on"]
    html = texts(answer)
    assert html.index('value="keep"') < html.index('value="30"')
    # The day is said once, in the time that the script makes the reader's own: in words beside it, it might be another.
    assert re.search(r"Keep the present end</label><p[^>]*><time[^>]*>" + f"{key.expires_at:%-d %b %Y}", html)
    assert html.count(f"{key.expires_at:%-d %b %Y}") == 1
    assert "When this is off, requests with this key are refused. You can switch it on again." in html
    # Which key it is, and when it was last used.
    assert f"{key.start}••••" in html
    assert "2 hours ago" in html
    assert f'href="/my-portal/keys/{key.id}/"' in html


def test_saving_leads_to_the_key_and_says_so_once(client, config):
    key = put(config, "Production server")
    answer = send(client, edit(key), name=" Billing worker ")
    assert (answer.status_code, answer["Location"]) == (303, f"/my-portal/keys/{key.id}/")
    assert "Changes saved." in texts(client.get(answer["Location"]))
    assert "Changes saved." not in texts(client.get(answer["Location"]))
    assert only(config).name == "Billing worker"
    event = PortalEvent.objects.get(kind=PortalEvent.Kind.KEY_CHANGED)
    assert event.detail == {"key_id": key.id, "name": "Billing worker", "fields": ["name"]}


def test_what_is_left_alone_is_not_written(client, config):
    key = put(config, "Production server", permissions=("maps.read",))
    assert send(client, edit(key)).status_code == 303
    assert only(config) == key
    assert not PortalEvent.objects.filter(kind=PortalEvent.Kind.KEY_CHANGED).exists()


def test_each_value_alone(client, config):
    key = put(config, "Production server", permissions=("maps.read",))
    send(client, edit(key), enabled=None)
    assert only(config).enabled is False
    assert "Disabled" in texts(client.get(f"/my-portal/keys/{key.id}/"))
    send(client, edit(key), enabled="on")
    assert only(config).enabled is True
    before = clock.now()
    send(client, edit(key), expires="30")
    assert before <= only(config).expires_at - timedelta(days=30) <= clock.now()
    send(client, edit(key), permissions=["maps.read", "maps.write"])
    assert set(only(config).permissions) == {"maps.read", "maps.write"}
    send(client, edit(key), permissions=None)
    assert only(config).permissions == ()
    day = clock.now().date() + timedelta(days=3)
    send(client, edit(key), expires="date", date=day.isoformat())
    assert f"{only(config).expires_at:%Y-%m-%d %H:%M:%S.%f}" == f"{day} 23:59:59.999000"
    fields = [event.detail["fields"] for event in PortalEvent.objects.filter(kind="key.changed").order_by("pk")]
    assert fields == [["enabled"], ["enabled"], ["expires_at"], ["permissions"], ["permissions"], ["expires_at"]]


def test_an_end_beyond_todays_policy_can_be_kept(client, config):
    key = put(config, "Production server", ends=timedelta(days=3000))
    assert send(client, edit(key), name="Other", expires="keep").status_code == 303
    assert only(config).expires_at == key.expires_at


def test_a_date_beside_the_present_end_is_asked_about(client, config):
    key = put(config, "Production server")
    answer = send(client, edit(key), name="Other", date="2027-01-01")
    assert answer.status_code == 422
    assert "Choose “On a date”, or empty the date." in texts(answer)
    assert only(config) == key


def test_a_key_that_never_ends_keeps_never(client, config):
    key = put(config, "Production server", ends=None)
    html = texts(client.get(edit(key)))
    assert "Keep “Never”" in html
    config.key_never_expires = True
    config.save()
    assert 'value="never"' not in texts(client.get(edit(key)))
    send(client, edit(key), name="Other")
    assert only(config).expires_at is None
    send(client, edit(key), expires="30")
    assert only(config).expires_at is not None
    send(client, edit(key), expires="never")
    assert only(config).expires_at is None


def test_an_expired_key_gets_a_new_end(client, config):
    key = put(config, "Production server", ends=timedelta(days=-3))
    assert client.get(edit(key)).status_code == 200
    send(client, edit(key), expires="90")
    assert only(config).expires_at > clock.now()


def test_permissions_that_are_no_longer_offered(client, config):
    key = put(config, "Production server", permissions=("old.one", "maps.read"))
    assert "This key also has <bdi>old.one</bdi>, which can no longer be chosen." in texts(client.get(edit(key)))
    send(client, edit(key), name="Other")
    assert set(only(config).permissions) == {"old.one", "maps.read"}
    send(client, edit(key), permissions=["maps.write"])
    assert only(config).permissions == ("maps.write",)
    assert "can no longer be chosen" not in texts(client.get(edit(key)))


def test_a_store_without_permissions(client, config, settings):
    use_store(settings, WithoutPermissions)
    key = put(config, "Production server", permissions=("old.one",))
    html = texts(client.get(edit(key)))
    assert 'name="permissions"' not in html
    assert "old.one" not in html
    send(client, edit(key), name="Other")
    assert (only(config).name, only(config).permissions) == ("Other", ("old.one",))


def test_mistakes_are_said_and_the_input_is_kept(client, config):
    key = put(config, "Production server")
    answer = send(client, edit(key), name="", expires="date", date="2020-02-02", enabled=None)
    assert answer.status_code == 422
    html = texts(answer)
    assert "<title>Error: Edit Production server – Northwind Maps</title>" in html
    assert '<a href="#id_name">Enter a name for the key</a>' in html
    assert '<a href="#id_date">Enter a date after ' in html
    kept = form_of(answer)
    assert (kept["name"], kept["expires"], kept["date"]) == ([""], ["date"], ["2020-02-02"])
    assert "enabled" not in kept
    assert only(config) == key
    assert send(client, edit(key), kept, name="Mended", expires="keep", date="").status_code == 303
    assert (only(config).name, only(config).enabled) == ("Mended", False)


def test_a_name_that_is_taken(client, config):
    key = put(config, "Production server")
    put(config, "CI runner")
    answer = send(client, edit(key), name="CI runner")
    assert answer.status_code == 422
    assert '<a href="#id_name">You already have a key called “CI runner”</a>' in texts(answer)
    # Its own name is not taken.
    assert send(client, edit(key), name="Production server").status_code == 303


def test_two_tabs_and_nobody_writes_over_what_they_have_not_seen(client, config):
    key = put(config, "Production server", permissions=("maps.read",))
    mine = form_of(client.get(edit(key)))
    theirs = send(client, edit(key), name="Theirs", permissions=["maps.write"], expires="30", enabled=None)
    assert theirs.status_code == 303
    changed = only(config)
    answer = send(client, edit(key), mine, name="Mine")
    assert (answer.status_code, heading(answer)) == (409, "Edit Theirs")
    html = texts(answer)
    assert "<title>Error: Edit Theirs – Northwind Maps</title>" in html
    assert "<li>This key changed while you were editing. Check the values and save again.</li>" in html
    assert only(config) == changed
    # The values of now …
    facts = html[html.index("The key as it is now") : html.index("Your changes")]
    for value in ("Theirs", "maps.write", f"{changed.expires_at:%-d %b %Y}", "Disabled"):
        assert value in facts
    # … and the input.
    kept = form_of(answer)
    assert (kept["name"], kept["permissions"], kept["enabled"]) == (["Mine"], ["maps.read"], ["on"])
    # Saving again writes over them, knowingly.
    assert send(client, edit(key), kept).status_code == 303
    now = only(config)
    assert (now.name, now.permissions, now.enabled) == ("Mine", ("maps.read",), True)


def test_a_conflict_over_a_key_without_end_and_permissions(client, config):
    key = put(config, "Production server", ends=None)
    mine = form_of(client.get(edit(key)))
    send(client, edit(key), name="Theirs")
    html = texts(send(client, edit(key), mine, name="Mine"))
    facts = html[html.index("The key as it is now") : html.index("Your changes")]
    for value in ("Never", "None", "Enabled"):
        assert value in facts


def test_the_form_stays_the_old_one_while_it_is_mended(client, config):
    """A mistake in between must not make the form take over values that its writer has not seen."""
    key = put(config, "Production server")
    mine = form_of(client.get(edit(key)))
    send(client, edit(key), name="Theirs")
    kept = form_of(send(client, edit(key), mine, name=""))
    assert send(client, edit(key), kept, name="Mine").status_code == 409


def test_somebody_who_is_always_faster(client, config, settings):
    use_store(settings, doubles.BusyKeyStore)
    key = put(config, "Production server")
    assert send(client, edit(key), name="Mine").status_code == 409


def test_a_locked_key_is_not_edited(client, config):
    key = put(config, "Production server", locked=True)
    for answer in (client.get(edit(key)), client.post(edit(key))):
        assert answer.status_code == 403
    assert heading(client.get(edit(key))) == "This key is locked"
    assert "Northwind Maps locked it" in texts(client.get(edit(key)))


def test_a_key_that_is_revoked_meanwhile(client, config):
    key = put(config, "Production server")
    form = form_of(client.get(edit(key)))
    owner = Owner(config, "user_123")
    get_key_store().revoke_key(owner, key.id)
    gone = send(client, edit(key), form, name="Mine")
    assert (gone.status_code, heading(gone)) == (404, "Page not found")


@pytest.mark.parametrize("page", ["edit", "rotate", "revoke"])
def test_row_24_another_users_key_is_as_one_that_never_was(client, config, page):
    theirs = put(config, "Theirs", external_id="user_456")
    answers = [client.get(f"/my-portal/keys/{key_id}/{page}/") for key_id in (theirs.id, "key_never", "no-id", "%00")]
    for answer in answers:
        assert (answer.status_code, heading(answer)) == (404, "Page not found")
        assert answer.content == answers[0].content
    assert stored(config, "user_456") == [theirs]


@pytest.mark.parametrize("page", ["edit", "rotate", "revoke"])
def test_row_15_the_form_of_one_key_opens_no_others(client, config, page):
    mine, other = put(config, "Mine"), put(config, "Other")
    form = form_of(client.get(f"/my-portal/keys/{mine.id}/{page}/"))
    before = stored(config)
    for path, headers in (
        (f"/my-portal/keys/{other.id}/{page}/", {}),
        (f"/my-portal/keys/{mine.id}/{page}/", {"Origin": "https://evil.example"}),
    ):
        values = {**form, "name": "Evil", "understood": "on", "grace": "0"}
        answer = client.post(path, values, headers=headers)
        assert (answer.status_code, heading(answer)) == (403, "This form is out of date")
    assert stored(config) == before


@pytest.mark.parametrize(
    ("page", "capability", "words"),
    [
        ("edit", "keys:update", "Edit API keys"),
        ("rotate", "keys:reroll", "Rotate API keys"),
        ("revoke", "keys:delete", "Revoke API keys"),
    ],
)
def test_what_the_session_may_not_do_is_named(client, config, page, capability, words):
    key = put(config, "Production server")
    path = f"/my-portal/keys/{key.id}/{page}/"
    every = {"keys:read", "keys:create", "keys:reroll", "keys:update", "keys:delete"}
    client.cookies["portal_session"] = sign_in(config, granted=sorted(every - {capability})).secret
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 403
        assert f"doesn’t include “{words}”" in texts(answer)
    # Without seeing keys nobody can do anything about one.
    client.cookies["portal_session"] = sign_in(config, granted=[capability]).secret
    answer = client.get(path)
    assert answer.status_code == 403
    assert "doesn’t include “See API keys”" in texts(answer)


@pytest.mark.parametrize("page", ["edit", "rotate", "revoke"])
def test_decision_15_a_preview_sees_forms_that_are_off(client, config, page):
    key = put(config, "Production server")
    path = f"/my-portal/keys/{key.id}/{page}/"
    client.cookies["portal_session"] = sign_in(config, preview=True).secret
    answer = client.get(path)
    assert answer.status_code == 200
    assert "Changes are switched off, so there is no button here." in texts(answer)
    assert buttons_of(answer) == 0
    assert client.post(path, form_of(answer)).status_code == 403
    refused = client.post(path, {**form_of(answer), "name": "Other", "understood": "on"})
    assert (refused.status_code, heading(refused)) == (403, "Changes are switched off")
    assert stored(config) == [key]


@pytest.mark.parametrize("page", ["edit", "rotate", "revoke"])
def test_what_the_store_cannot_do_has_no_page(client, config, settings, page):
    use_store(settings, ReadOnly)
    key = put(config, "Production server")
    answer = client.get(f"/my-portal/keys/{key.id}/{page}/")
    assert (answer.status_code, heading(answer)) == (404, "Page not found")
