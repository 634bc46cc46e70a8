"""Root keys in the admin: made with a secret that is seen once, rotated, switched off (security rows 7, 18, 23, 28, 45)."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.db.models.signals import pre_init, pre_save
from django.test import Client
from django.utils import timezone

from portal import clock, tokens
from portal.admin.root_key_form import CreateRootKeyForm
from portal.models import PortalEvent, PortalSession, RootKey
from portal.models.root_key import RotatedMeanwhile
from portal.permissions import CAPABILITIES, MINT_ANY_SESSION, PORTAL_ACTIONS
from tests.factories import PortalConfigFactory, issue_root_key, mint

from .rows import ROOT_KEYS, assert_strict, cells, hidden, staff, text

pytestmark = pytest.mark.django_db

ADD = f"{ROOT_KEYS}add/"


def page(root_key, name: str = "change") -> str:
    return f"{ROOT_KEYS}{root_key.pk}/{name}/"


def new(client, **values):
    """Fill in the form and send it."""
    form = {**hidden(client.get(ADD)), "name": "Billing", "mint": "all", "capabilities": CAPABILITIES, **values}
    return client.post(ADD, form), form


def secret(response) -> str:
    """Return the secret that the page shows."""
    return re.search(r'id="portal-key"[^>]* value="(prk_[0-9A-Za-z]{43})"', response.content.decode())[1]


def works(api, key: str) -> bool:
    body = {"slug": "my-portal", "externalId": "user_1", "permissions": ["keys:read"]}
    answer = api("createSession", body, token=key)
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def test_row_7_the_secret_is_in_the_answer_to_the_form_and_nowhere_else(operator, api, config):
    answer, _ = new(operator)
    key = secret(answer)
    root_key = RootKey.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "Copy this key now. It cannot be shown again." in text(answer)
    assert answer.content.decode().count(key) == 1
    assert not {"messages", "messagelist"} & {*answer.cookies, *answer.content.decode().split('"')}
    assert_strict(answer)
    assert works(api, key)
    assert (root_key.name, root_key.permissions, root_key.expires_at) == ("Billing", list(MINT_ANY_SESSION), None)
    assert bytes(root_key.key_hash) == tokens.digest(key)
    # Not on any later page, not in what Django keeps about the operator, and not in any other table.
    pages = [
        ROOT_KEYS,
        page(root_key),
        page(root_key, "history"),
        page(root_key, "rotate"),
        "/admin/",
        "/admin/portal/portalevent/",
    ]
    written = "".join(operator.get(path).content.decode() for path in pages)
    written += "".join(str(entry.__dict__) for entry in LogEntry.objects.all())
    written += "".join(str(session.get_decoded()) for session in Session.objects.all())
    written += "".join(json.dumps(event.detail) for event in PortalEvent.objects.all())
    written += str(answer.cookies) + str(answer.headers)
    for value in (key, key[9:], bytes(root_key.key_hash).hex(), str(bytes(root_key.key_hash))):
        assert value not in written
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.is_addition()) == ("Billing", True)


def test_row_45_making_a_key_is_recorded_with_the_operator(operator):
    new(operator)
    event = PortalEvent.objects.get(kind="root_key.created")
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", "ada", "127.0.0.1")
    assert event.detail == {"root_key_id": RootKey.objects.get().public_id, "name": "Billing"}


def curl(response) -> str:
    found = re.search(r'<textarea id="portal-curl"[^>]*>(.*?)</textarea>', response.content.decode(), re.DOTALL)
    return unescape(found[1]) if found else ""


def call(command: str, key: str):
    """Make the call that a curl command describes."""
    url = re.search(r"curl -X POST (\S+)", command)[1]
    assert url.startswith("https://portal.example.com/")
    body = re.search(r"-d '(.*)'", command)[1]
    assert '"Authorization: Bearer $ROOT_KEY"' in command
    headers = {"Authorization": f"Bearer {key}"}
    return Client().post(url.removeprefix("https://portal.example.com"), body, "application/json", headers=headers)


def test_the_call_beside_the_secret_works(operator, config):
    answer, _ = new(operator)
    assert call(curl(answer), secret(answer)).status_code == 200
    session = PortalSession.objects.get()
    assert (session.config, session.external_id, session.capabilities) == (config, "user_123", "keys:read")


def test_the_call_is_one_that_this_key_may_make(operator, config):
    other = PortalConfigFactory(slug="a-first-portal")
    answer, _ = new(operator, mint="chosen", portals=[config.pk], capabilities=["analytics:read"])
    assert '"slug": "my-portal"' in curl(answer)
    assert call(curl(answer), secret(answer)).status_code == 200
    assert PortalSession.objects.get().capabilities == "analytics:read"
    answer, _ = new(operator, everything="on")
    assert other.slug in curl(answer)
    assert call(curl(answer), secret(answer)).status_code == 200
    # A session that shows the docs only can be minted without any capability.
    for values in ({"mint": "none"}, {"mint": "none", "tuples": "api.*.verify_key"}):
        answer, _ = new(operator, **values)
        assert curl(answer) == ""
        assert secret(answer)


def test_without_a_portal_or_an_address_there_is_no_call(operator, settings):
    assert curl(new(operator)[0]) == ""
    PortalConfigFactory()
    settings.PORTAL = {}
    assert curl(new(operator)[0]) == ""


def test_without_the_api_there_is_no_call(operator, config, settings):
    settings.ROOT_URLCONF = "tests.admin.pages_only"
    assert curl(new(operator)[0]) == ""


@pytest.mark.parametrize(
    ("values", "granted"),
    [
        ({}, list(MINT_ANY_SESSION)),
        (
            {"capabilities": ["keys:delete", "keys:read"]},
            ["portal.*.create_portal_session", "keys:read", "keys:delete"],
        ),
        ({"mint": "none", "capabilities": ["keys:read"]}, ["keys:read"]),
        (
            {"mint": "none", "capabilities": [], "tuples": " api.ks_1.read_key \n\napi.*.verify_key\napi.*.verify_key"},
            ["api.ks_1.read_key", "api.*.verify_key"],
        ),
        ({"everything": "on"}, ["*"]),
        ({"everything": "on", "mint": "none", "capabilities": []}, ["*"]),
    ],
)
def test_what_is_picked_is_granted(operator, values, granted):
    new(operator, **values)
    assert RootKey.objects.get().permissions == granted


def test_row_23_a_key_for_chosen_portals_mints_for_no_other(operator, api, config):
    other = PortalConfigFactory()
    answer, _ = new(operator, mint="chosen", portals=[other.pk])
    assert RootKey.objects.get().permissions[0] == f"portal.{other.public_id}.create_portal_session"
    body = {"externalId": "user_1", "permissions": ["keys:read"]}
    assert api("createSession", {**body, "slug": other.slug}, token=secret(answer)).status_code == 200
    assert api("createSession", {**body, "slug": config.slug}, token=secret(answer)).status_code == 404


MANAGES = ["read_portal", "update_portal", "delete_portal", "create_portal"]


@pytest.mark.parametrize("minting", ["all", "none"])
def test_a_key_that_manages_portals(operator, minting):
    new(operator, mint=minting, capabilities=[], manages=MANAGES)
    granted = RootKey.objects.get().permissions
    assert granted[:-4] == (["portal.*.create_portal_session"] if minting == "all" else [])
    assert granted[-4:] == [f"portal.*.{action}" for action in MANAGES]


@pytest.mark.parametrize("minting", ["all", "chosen", "none"])
def test_row_23_a_key_manages_the_chosen_portals_only(operator, api, config, minting):
    other = PortalConfigFactory()
    key = secret(new(operator, mint=minting, portals=[other.pk], manages=["read_portal", "create_portal"])[0])
    granted = {name for name in RootKey.objects.get().permissions if "create_portal_session" not in name}
    assert granted == {f"portal.{other.public_id}.read_portal", "portal.*.create_portal", *CAPABILITIES}
    assert api("getPortal", {"portal": other.slug}, token=key).status_code == 200
    assert api("getPortal", {"portal": config.slug}, token=key).status_code == 404
    body = {"slug": "new-portal", "displayName": "New", "keyspaceId": "ks_new"}
    assert api("createPortal", body, token=key).status_code == 200


def test_everything_that_a_key_may_do_with_portals_is_offered():
    offered = [action for action, _ in CreateRootKeyForm.base_fields["manages"].choices]
    assert sorted([*offered, "create_portal_session"]) == sorted(PORTAL_ACTIONS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"mint": "none", "capabilities": []}, "Choose at least one permission."),
        ({"mint": "chosen"}, "Choose a portal."),
        ({"tuples": "api.*.read_key\nreadkey"}, "Line 2, “readkey”: write three parts and dots"),
        ({"tuples": "api.*.fly"}, "Line 1, “api.*.fly”: write three parts and dots"),
        ({"tuples": "\n*"}, "Line 2, “*”: tick “everything” instead"),
        ({"capabilities": ["keys:fly"]}, "keys:fly"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "Choose a time in the future"),
        ({"request_id": "short"}, "Open this form again."),
        ({"request_id": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_and_no_key_is_made(operator, values, message):
    answer, form = new(operator, **values)
    assert answer.status_code == 200
    assert message in text(answer)
    assert not RootKey.objects.exists()
    assert_strict(answer)
    if "request_id" not in values:
        # The same form, corrected, makes the key.
        assert hidden(answer)["request_id"] == form["request_id"]


def test_a_key_may_expire(operator, api, config):
    tomorrow = timezone.localtime(clock.now() + timedelta(days=1))
    answer, _ = new(operator, expires_at_0=f"{tomorrow:%Y-%m-%d}", expires_at_1=f"{tomorrow:%H:%M:%S}")
    key = secret(answer)
    assert works(api, key)
    with clock.using(lambda: tomorrow + timedelta(seconds=1)):
        assert not works(api, key)
        assert cells(operator.get(ROOT_KEYS), "state") == ["Expired"]


def test_the_same_form_sent_again_makes_no_second_key(operator, api, config):
    answer, form = new(operator)
    key = secret(answer)
    for values in (form, {**form, "name": "Another name"}):
        again = operator.post(ADD, values)
        assert again.status_code == 409
        assert "This key was created already" in text(again)
        assert "prk_" not in again.content.decode()
        assert_strict(again)
    root_key = RootKey.objects.get()
    assert page(root_key) in again.content.decode()
    assert works(api, key)
    # A form of its own makes a key of its own, and what one operator's form holds is nothing to another.
    assert new(operator)[0].status_code == 200
    other = staff("add_rootkey")
    assert other.post(ADD, form).status_code == 200
    assert RootKey.objects.count() == 3
    assert re.fullmatch("rk_[0-9A-Za-z]{22}", root_key.public_id)
    assert form["request_id"] not in root_key.public_id


def test_who_may_make_keys_no_more_is_not_told_of_one_made_before(config):
    client = staff("add_rootkey")
    _, form = new(client)
    Permission.objects.filter(codename="add_rootkey").delete()
    assert client.post(ADD, form).status_code == 403
    assert RootKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", [pre_init, pre_save], ids=["before the form is checked", "before it is written"])
def test_a_form_sent_twice_at_once_makes_one_key(operator, config, moment):
    form = {**hidden(operator.get(ADD)), "name": "Billing", "mint": "all"}
    answers = []

    def first_sending():
        answers.append(operator.post(ADD, form))
        connection.close()

    def between(sender, **kwargs):
        # The second sending has looked, found no key, and is about to write; the first one is quicker.
        moment.disconnect(between, sender=RootKey)
        thread = threading.Thread(target=first_sending)
        thread.start()
        thread.join()

    moment.connect(between, sender=RootKey)
    twin = Client()
    twin.cookies = operator.cookies
    late = twin.post(ADD, form)
    assert [answer.status_code for answer in answers] == [200]
    assert late.status_code == 409
    assert "prk_" not in late.content.decode()
    assert RootKey.objects.count() == PortalEvent.objects.filter(kind="root_key.created").count() == 1


def test_a_fault_that_is_no_second_sending_stays_a_fault(operator):
    def fail(sender, **kwargs):
        raise DatabaseError("away")

    pre_save.connect(fail, sender=RootKey)
    try:
        with pytest.raises(DatabaseError, match="away"):
            new(operator)
    finally:
        pre_save.disconnect(fail, sender=RootKey)
    assert not RootKey.objects.exists()


def rotate(client, root_key, **values):
    form = {**hidden(client.get(page(root_key, "rotate"))), "grace": 3600, **values}
    return client.post(page(root_key, "rotate"), form), form


@pytest.mark.parametrize(("seconds", "hours"), [(0, 0), (3600, 1), (86400, 24), (604800, 168)])
def test_rotating_gives_a_new_secret_and_the_old_one_its_time(operator, api, config, seconds, hours):
    root_key, old = issue_root_key()
    asked = operator.get(page(root_key, "rotate"))
    assert "You see it once" in text(asked)
    assert_strict(asked)
    assert works(api, old)
    answer, _ = rotate(operator, root_key, grace=seconds)
    key = secret(answer)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert ("works until" in text(answer)) is bool(hours)
    assert_strict(answer)
    assert works(api, key)
    assert works(api, old) is bool(hours)
    assert call(curl(answer), key).status_code == 200
    later = clock.now() + timedelta(hours=hours)
    with clock.using(lambda: later):
        assert works(api, key)
        assert not works(api, old)
    event = PortalEvent.objects.get(kind="root_key.rotated")
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", "ada", "127.0.0.1")
    assert LogEntry.objects.get().get_change_message() == "Rotated."
    assert key not in str(LogEntry.objects.get().__dict__) + str(operator.get(page(root_key)).content)


def test_a_rotation_sent_again_rotates_once(operator, api, config):
    root_key, old = issue_root_key()
    answer, form = rotate(operator, root_key)
    again = operator.post(page(root_key, "rotate"), form)
    assert again.status_code == 409
    assert "nothing was changed" in text(again)
    assert "prk_" not in again.content.decode()
    # Neither the secret that backends have nor the new one was ended by it.
    assert works(api, old)
    assert works(api, secret(answer))
    assert PortalEvent.objects.filter(kind="root_key.rotated").count() == 1
    # A form from before somebody else's rotation counts as sent again; so does one without the mark.
    assert rotate(operator, root_key, version="")[0].status_code == 409
    assert rotate(operator, root_key)[0].status_code == 200


def test_rotating_what_was_rotated_meanwhile_writes_nothing(config, api):
    root_key, old = issue_root_key()
    stale = RootKey.objects.get()
    _, key = root_key.rotate(timedelta(hours=1))
    with pytest.raises(RotatedMeanwhile):
        stale.rotate(key_hash=bytes(stale.key_hash))
    assert works(api, old)
    assert works(api, key)
    assert PortalEvent.objects.filter(kind="root_key.rotated").count() == 1


def test_a_wrong_grace_is_said(operator):
    root_key, _ = issue_root_key()
    answer, form = rotate(operator, root_key, grace=5)
    assert "Select a valid choice" in text(answer)
    assert hidden(answer)["version"] == form["version"]
    assert not PortalEvent.objects.filter(kind="root_key.rotated").exists()


@pytest.mark.parametrize("end_sessions", [True, False])
def test_row_18_disabling_ends_the_sessions_if_asked(operator, api, config, end_sessions):
    root_key, key = issue_root_key()
    other = issue_root_key().row
    mine, others = mint(config, minted_by=root_key.pk).row, mint(config, minted_by=other.pk).row
    asked = operator.get(page(root_key, "disable"))
    assert "Backends that use it can no longer mint sessions." in text(asked)
    assert_strict(asked)
    assert works(api, key)
    live = set(PortalSession.objects.live())
    answer = operator.post(page(root_key, "disable"), {"end_sessions": "on"} if end_sessions else {}, follow=True)
    assert "Disabled." in answer.content.decode()
    assert (
        api("createSession", {"slug": "my-portal", "externalId": "u", "permissions": []}, token=key).status_code >= 400
    )
    assert cells(operator.get(ROOT_KEYS), "state").count("Disabled") == 1
    assert set(PortalSession.objects.live()) == ({others} if end_sessions else live)
    events = PortalEvent.objects.filter(actor_kind="operator")
    assert {event.kind for event in events} == {"root_key.disabled", *(["session.revoked"] if end_sessions else [])}
    assert {(event.actor_id, event.address) for event in events} == {("ada", "127.0.0.1")}
    mine.refresh_from_db()
    assert (mine.revoked_at is not None) is end_sessions


def test_a_disabled_key_is_enabled_with_the_secret_it_had(operator, api, config):
    root_key, key = issue_root_key()
    operator.post(page(root_key, "disable"))
    asked = operator.get(page(root_key, "enable"))
    assert "Its present secret works again" in text(asked)
    assert not RootKey.objects.get().enabled
    assert_strict(asked)
    operator.post(page(root_key, "enable"))
    assert works(api, key)
    event = PortalEvent.objects.filter(actor_kind="operator").first()
    assert (event.kind, event.actor_id, event.address) == ("root_key.changed", "ada", "127.0.0.1")
    assert event.detail == {"root_key_id": root_key.public_id, "name": "Backend", "fields": ["enabled"]}


def test_row_18_all_sessions_of_a_key_end_together(operator, api, config):
    root_key, key = issue_root_key()
    mint(config, "one", minted_by=root_key.pk)
    PortalSession.objects.exchange(mint(PortalConfigFactory(), "two", minted_by=root_key.pk).secret)
    other = mint(config, "other").row
    asked = operator.get(page(root_key, "end-sessions"))
    assert "End all sessions that “Backend” minted" in text(asked)
    assert PortalSession.objects.live().count() == 3
    assert_strict(asked)
    answer = operator.post(page(root_key, "end-sessions"), follow=True)
    assert "2 sessions ended." in answer.content.decode()
    assert list(PortalSession.objects.live()) == [other]
    assert works(api, key)
    event = PortalEvent.objects.get(kind="session.revoked")
    assert (event.actor_id, event.address) == ("ada", "127.0.0.1")
    assert event.detail == {"count": 2, "reason": "revoked_by_operator", "root_key_id": root_key.public_id}


def test_name_and_expiry_are_edited_and_nothing_else(operator):
    root_key, _ = issue_root_key()
    before = RootKey.objects.values().get()
    values = {
        "name": "Renamed",
        "permissions": '["*"]',
        "enabled": "",
        "key_hash": "00",
        "start": "x",
        "public_id": "rk_x",
    }
    answer = operator.post(page(root_key), values, follow=True)
    assert answer.status_code == 200
    assert RootKey.objects.values().get() == {**before, "name": "Renamed"}
    event = PortalEvent.objects.get(kind="root_key.changed")
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", "ada", "127.0.0.1")
    assert event.detail == {"root_key_id": root_key.public_id, "name": "Renamed", "fields": ["name"]}
    # Saved without a change, nothing is recorded.
    operator.post(page(root_key), {"name": "Renamed"})
    assert PortalEvent.objects.filter(kind="root_key.changed").count() == 1
    operator.post(page(root_key), {"name": "Renamed", "expires_at_0": "2099-01-01", "expires_at_1": "12:00:00"})
    assert RootKey.objects.get().expires_at.year == 2099
    assert PortalEvent.objects.first().detail["fields"] == ["expires_at"]


def test_an_edit_leaves_alone_what_happened_meanwhile(operator):
    root_key, _ = issue_root_key()

    def meanwhile(sender, instance, **kwargs):
        pre_save.disconnect(meanwhile, sender=RootKey)
        RootKey.objects.update(enabled=False, permissions=["keys:read"])

    pre_save.connect(meanwhile, sender=RootKey)
    operator.post(page(root_key), {"name": "Renamed"})
    saved = RootKey.objects.get()
    assert (saved.name, saved.enabled, saved.permissions) == ("Renamed", False, ["keys:read"])


def test_a_key_that_has_expired_can_be_renamed_but_not_set_to_the_past(operator):
    past = clock.now().replace(microsecond=0) - timedelta(days=1)
    root_key, _ = issue_root_key(expires_at=past)
    local = timezone.localtime(past)
    shown = {"expires_at_0": f"{local:%Y-%m-%d}", "expires_at_1": f"{local:%H:%M:%S}"}
    operator.post(page(root_key), {"name": "Renamed", **shown})
    assert RootKey.objects.get().name == "Renamed"
    answer = operator.post(
        page(root_key), {"name": "Renamed", "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}
    )
    assert "Choose a time in the future, or disable the key." in text(answer)
    assert RootKey.objects.get().expires_at == past


def test_row_28_no_page_shows_a_hash(operator):
    root_key, _ = issue_root_key()
    root_key.rotate(timedelta(hours=1))
    root_key.refresh_from_db()
    for path in (ROOT_KEYS, page(root_key), page(root_key, "rotate"), page(root_key, "history"), ADD):
        shown = operator.get(path)
        assert_strict(shown)
        for value in (root_key.key_hash, root_key.previous_key_hash):
            assert bytes(value).hex() not in shown.content.decode()
    shown = text(operator.get(page(root_key)))
    assert all(part in shown for part in (root_key.public_id, root_key.start, *MINT_ANY_SESSION))
    assert "hash" not in shown.lower()


def test_root_keys_are_disabled_not_deleted(operator):
    root_key, _ = issue_root_key()
    assert operator.get(page(root_key, "delete")).status_code == 403
    assert operator.post(page(root_key, "delete"), {"post": "yes"}).status_code == 403
    assert "/delete/" not in operator.get(page(root_key)).content.decode()
    operator.post(ROOT_KEYS, {"action": "delete_selected", "post": "yes", "_selected_action": [root_key.pk]})
    assert RootKey.objects.exists()


PAGES = ("rotate", "disable", "enable", "end-sessions")
BUTTONS = (">Rotate<", ">Disable<", ">End its sessions<")


def test_whoever_may_only_look_changes_nothing(config):
    root_key, _ = issue_root_key()
    viewer = staff("view_rootkey")
    shown = viewer.get(page(root_key))
    assert shown.status_code == viewer.get(ROOT_KEYS).status_code == 200
    assert not any(button in shown.content.decode() for button in (*BUTTONS, ">Its sessions<", "Add root key"))
    before = RootKey.objects.values().get()
    for name in PAGES:
        assert viewer.get(page(root_key, name)).status_code == 403
        assert viewer.post(page(root_key, name), {"grace": 0}).status_code == 403
    assert viewer.post(page(root_key), {"name": "x"}).status_code == 403
    assert viewer.get(ADD).status_code == viewer.post(ADD, {"request_id": tokens.nonce()}).status_code == 403
    assert RootKey.objects.values().get() == before


def test_ending_sessions_needs_the_permission_to_change_sessions(config):
    root_key, _ = issue_root_key()
    session = mint(config, minted_by=root_key.pk).row
    helper = staff("change_rootkey")
    shown = helper.get(page(root_key)).content.decode()
    assert ">Rotate<" in shown
    assert ">End its sessions<" not in shown
    assert helper.get(page(root_key, "end-sessions")).status_code == 403
    assert helper.post(page(root_key, "end-sessions")).status_code == 403
    assert "Also end" not in text(helper.get(page(root_key, "disable")))
    assert helper.post(page(root_key, "disable"), {"end_sessions": "on"}).status_code == 302
    assert not RootKey.objects.get().enabled
    assert list(PortalSession.objects.live()) == [session]


def test_without_a_permission_nothing_is_shown(operator):
    root_key, _ = issue_root_key()
    stranger = staff()
    for path in (ROOT_KEYS, ADD, *(page(root_key, name) for name in ("change", *PAGES))):
        assert stranger.get(path).status_code == 403
        assert Client().get(path)["Location"].startswith("/admin/login/")
    shown = operator.get(page(root_key)).content.decode()
    assert all(button in shown for button in (*BUTTONS, ">Its sessions<"))


def test_a_key_that_is_gone_is_not_found(operator):
    root_key, _ = issue_root_key()
    paths = [page(root_key, name) for name in PAGES]
    root_key.delete()
    for path in paths:
        assert operator.get(path).status_code == operator.post(path).status_code == 404


def test_a_rotation_that_nobody_saw_leaves_the_secret_in_use(operator, api, config):
    def refuse(sender, **kwargs):
        raise DatabaseError

    root_key, old = issue_root_key()
    form = {**hidden(operator.get(page(root_key, "rotate"))), "grace": 0}
    pre_save.connect(refuse, sender=LogEntry)
    try:
        with pytest.raises(DatabaseError):
            operator.post(page(root_key, "rotate"), form)
    finally:
        pre_save.disconnect(refuse, sender=LogEntry)
    assert works(api, old)
    assert not PortalEvent.objects.filter(kind="root_key.rotated").exists()


def test_row_28_the_secret_is_in_no_log_of_templates(operator, config, caplog):
    with caplog.at_level("DEBUG", "django.template"):
        made = secret(new(operator)[0])
        rotated = secret(rotate(operator, RootKey.objects.get())[0])
    # Django logs variables that a template does not find, with the whole context.
    assert any(line.name == "django.template" for line in caplog.records)
    lines = caplog.text + str([vars(line) for line in caplog.records])
    assert made not in lines
    assert rotated not in lines


def test_rotating_a_key_that_is_gone_is_no_event(config):
    root_key, _ = issue_root_key()
    RootKey.objects.all().delete()
    with pytest.raises(RootKey.DoesNotExist):
        root_key.rotate()
    assert not PortalEvent.objects.filter(kind="root_key.rotated").exists()


@pytest.mark.parametrize("name", ["rotate", "disable", "enable", "end-sessions"])
def test_a_host_may_decide_key_by_key(operator, monkeypatch, name):
    allowed, denied = issue_root_key("Allowed").row, issue_root_key("Denied").row
    model_admin = site.get_model_admin(RootKey)
    monkeypatch.setattr(model_admin, "has_change_permission", lambda request, obj=None: obj != denied)
    assert operator.get(page(denied, name)).status_code == 403
    assert operator.get(page(allowed, name)).status_code != 403
