"""What can be done with a key in the admin: lock, unlock, rotate, revoke (security rows 7, 28, 45)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.db import DatabaseError, connection
from django.db.models.signals import pre_save
from django.test import Client

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.verify import verify
from portal.errors import KeyLocked
from portal.keystore import get_key_store
from portal.keystore.base import Outcome, Owner
from portal.models import PortalConfig
from tests.admin.rows import KEYS, assert_strict, hidden, staff, text
from tests.contrib.keys.making import change, make_key
from tests.contrib.keys.test_admin import events, page, secret
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db

ACTS = ("lock", "unlock", "rotate", "revoke")
HOUR, DAY, WEEK = 3600, 86400, 604800


def act(client, key, name, **options):
    return client.post(page(key, name), **options)


def rotate(client, key, **values):
    form = {**hidden(client.get(page(key, "rotate"))), "grace": HOUR, **values}
    return client.post(page(key, "rotate"), form), form


def assert_recorded(kind, key, portal_id, **detail):
    event = events().get(kind=kind)
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", "ada", "127.0.0.1")
    assert (event.portal_id, event.external_id) == (portal_id, key.external_id)
    assert event.detail == {"key_id": key.public_id, "name": key.name, **detail}


def test_a_locked_key_is_refused_and_its_owner_cannot_touch_it(operator, config):
    key, value = make_key()
    asked = operator.get(page(key, "lock"))
    assert "It is refused from now on" in text(asked)
    assert_strict(asked)
    assert verify(value).valid
    answer = act(operator, key, "lock", follow=True)
    assert "Locked." in answer.content.decode()
    assert verify(value).outcome is Outcome.FORBIDDEN
    owner = Owner(config, "user_123")
    with pytest.raises(KeyLocked):
        get_key_store().revoke_key(owner, key.public_id)
    with pytest.raises(KeyLocked):
        get_key_store().update_key(owner, key.public_id, {"enabled": False})
    assert_recorded("key.locked", key, config.public_id)
    assert LogEntry.objects.get().get_change_message() == "Locked."
    assert "was locked before" in act(operator, key, "lock", follow=True).content.decode()
    assert events().count() == LogEntry.objects.count() == 1
    assert ApiKey.objects.get().revision == 2


def test_an_unlocked_key_is_as_it_was(operator, config):
    key, value = make_key(enabled=False)
    act(operator, key, "lock")
    asked = operator.get(page(key, "unlock"))
    assert "Its present secret works again" in text(asked)
    assert_strict(asked)
    assert "Unlocked." in act(operator, key, "unlock", follow=True).content.decode()
    assert verify(value).outcome is Outcome.DISABLED
    assert_recorded("key.unlocked", key, config.public_id)
    assert "was not locked" in act(operator, key, "unlock", follow=True).content.decode()
    assert events().count() == 2


@pytest.mark.parametrize("locked", [True, False])
def test_a_revoked_key_is_gone_for_good(operator, config, locked):
    key, value = make_key(locked=locked)
    asked = operator.get(page(key, "revoke"))
    assert "nothing brings it back" in text(asked)
    assert_strict(asked)
    assert "Revoked." in act(operator, key, "revoke", follow=True).content.decode()
    assert verify(value).outcome is Outcome.NOT_FOUND
    assert not KeySecret.objects.exists()
    assert_recorded("key.revoked", key, config.public_id)
    for name, words in (("revoke", "revoked before"), ("lock", "locked before"), ("unlock", "not locked")):
        assert words in act(operator, key, name, follow=True).content.decode()
    for answer in (operator.get(page(key, "rotate"), follow=True), act(operator, key, "rotate", follow=True)):
        assert "revoked before" in answer.content.decode()
    assert events().count() == LogEntry.objects.count() == 1


@pytest.mark.parametrize("seconds", [0, 900, HOUR, DAY, WEEK])
def test_rotating_gives_a_new_secret_and_the_old_one_its_time(operator, config, seconds):
    key, old = make_key()
    PortalConfig.objects.update(key_prefix="nw_live")
    asked = operator.get(page(key, "rotate"))
    assert "You see it once" in text(asked)
    assert_strict(asked)
    answer, _ = rotate(operator, key, grace=seconds)
    value = secret(answer)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.decode().count(value) == 1
    assert value.startswith("nw_live_")
    assert ("works until" in text(answer)) is bool(seconds)
    assert_strict(answer)
    assert verify(value).valid
    assert verify(old).valid is bool(seconds)
    ends = KeySecret.objects.exclude(ends_at=None).get().ends_at
    with clock.using(lambda: ends):
        assert verify(value).valid
        assert verify(old).outcome is Outcome.EXPIRED
    assert ends - ApiKey.objects.get().rotated_at == timedelta(seconds=seconds)
    recorded = events().get().detail["old_secret_ends"]
    assert abs(recorded - clock.to_milliseconds(ends)) < 1000
    assert_recorded("key.rotated", key, config.public_id, old_secret_ends=recorded)
    assert LogEntry.objects.get().get_change_message() == "Rotated."
    pages = (KEYS, page(key), page(key, "history"), page(key, "rotate"), "/admin/", "/admin/portal/portalevent/")
    written = "".join(operator.get(path).content.decode() for path in pages) + str(LogEntry.objects.get().__dict__)
    assert value not in written
    assert value[12:] not in written


@pytest.mark.parametrize("fields", [{"locked": True}, {"enabled": False}, {"expires_at": clock.now()}])
def test_an_operator_rotates_a_key_in_any_state(operator, config, fields):
    key, old = make_key()
    change(key, **fields)
    answer, _ = rotate(operator, key)
    assert verify(secret(answer)).outcome is verify(old).outcome is not Outcome.VALID
    assert ApiKey.objects.get().public_id == key.public_id


def test_the_periods_are_those_of_the_portal_and_at_once(operator, config):
    PortalConfig.objects.update(key_grace_periods=[HOUR, 2 * DAY])
    key, _ = make_key()
    words = text(operator.get(page(key, "rotate")))
    assert [words.count(label) for label in ("At once", "In 1 hour", "In 2 days", "In 24 hours", "In 7 days")] == [
        *(1, 1, 1, 0, 0)
    ]
    answer, form = rotate(operator, key, grace=DAY)
    assert "Select a valid choice" in text(answer)
    assert hidden(answer)["revision"] == form["revision"]
    assert not events().exists()


def test_a_key_that_no_portal_shows(operator):
    key, _ = make_key(keyspace_id="ks_alone")
    rotated = secret(rotate(operator, key)[0])
    assert rotated.startswith("sk_")
    assert_recorded("key.rotated", key, "", old_secret_ends=events().get().detail["old_secret_ends"])
    for name in ("lock", "unlock", "revoke"):
        act(operator, key, name)
    assert set(events().values_list("portal_id", flat=True)) == {""}
    assert events().count() == 4


def test_a_key_of_a_portal_without_a_keyspace(operator):
    own = PortalConfigFactory(keyspace_id="")
    # Whose keyspace id is another portal's public id is not that portal.
    PortalConfigFactory(keyspace_id="ks_1", public_id="prt_else")
    act(operator, make_key(keyspace_id=own.public_id)[0], "lock")
    act(operator, make_key(keyspace_id="prt_else")[0], "lock")
    assert [*events().order_by("pk").values_list("portal_id", flat=True)] == [own.public_id, ""]


def test_a_rotation_sent_again_rotates_once(operator, config):
    key, old = make_key()
    answer, form = rotate(operator, key)
    again = operator.post(page(key, "rotate"), form)
    assert again.status_code == 409
    assert "nothing was done" in text(again)
    assert "sk_" not in again.content.decode()
    assert_strict(again)
    assert verify(old).valid
    assert verify(secret(answer)).valid
    assert events().count() == 1
    assert rotate(operator, key, revision="")[0].status_code == 200
    assert events().count() == 1
    assert secret(rotate(operator, key)[0])


@pytest.mark.django_db(transaction=True)
def test_two_rotations_at_once_are_one(operator, config):
    key, old = make_key()
    form = {**hidden(operator.get(page(key, "rotate"))), "grace": HOUR}
    clients = [Client() for _ in range(4)]
    barrier, answers = threading.Barrier(4), []

    def send(client):
        client.cookies = operator.cookies
        client.raise_request_exception = False
        barrier.wait()
        answers.append(client.post(page(key, "rotate"), form))
        connection.close()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer for answer in answers if answer.status_code == 200]
    assert len(done) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert verify(old).valid
    assert verify(secret(done[0])).valid
    assert KeySecret.objects.count() == 2
    assert events().count() == 1


def test_a_rotation_that_nobody_saw_leaves_the_secret_in_use(operator, config):
    def refuse(sender, **kwargs):
        raise DatabaseError

    key, old = make_key()
    form = {**hidden(operator.get(page(key, "rotate"))), "grace": 0}
    pre_save.connect(refuse, sender=LogEntry)
    try:
        with pytest.raises(DatabaseError):
            operator.post(page(key, "rotate"), form)
    finally:
        pre_save.disconnect(refuse, sender=LogEntry)
    assert verify(old).valid
    assert not events().exists()


def test_row_28_the_secret_is_in_no_log(operator, config, caplog):
    key, _ = make_key()
    form = {**hidden(operator.get(f"{KEYS}add/")), "portal": config.pk, "external_id": "user_123", "name": "New"}
    with caplog.at_level("DEBUG"), caplog.at_level("DEBUG", "django"), caplog.at_level("DEBUG", "django.template"):
        made = secret(operator.post(f"{KEYS}add/", form))
        rotated = secret(rotate(operator, key)[0])
    assert any(line.name == "django.template" for line in caplog.records)
    lines = caplog.text + str([vars(line) for line in caplog.records])
    for value in (made, rotated):
        assert value[8:] not in lines


BUTTONS = (">Lock<", ">Rotate<", ">Revoke<")


def test_whoever_may_only_look_changes_nothing(config):
    key, _ = make_key()
    viewer = staff("view_apikey")
    shown = viewer.get(page(key))
    assert shown.status_code == viewer.get(KEYS).status_code == 200
    buttons = (*BUTTONS, ">Its user&#x27;s events<", "Add API key", "Save")
    assert not any(button in shown.content.decode() + viewer.get(KEYS).content.decode() for button in buttons)
    before = ApiKey.objects.values().get()
    for name in ACTS:
        assert viewer.get(page(key, name)).status_code == 403
        assert viewer.post(page(key, name), {"grace": 0, "revision": 1}).status_code == 403
    assert viewer.post(page(key), {"rate_limit": "5"}).status_code == 403
    assert viewer.get(f"{KEYS}add/").status_code == viewer.post(f"{KEYS}add/", {"request_id": "x"}).status_code == 403
    assert ApiKey.objects.values().get() == before


def test_each_right_brings_its_own_buttons(operator, config):
    key, _ = make_key()
    changer = staff("change_apikey").get(page(key)).content.decode()
    assert all(button in changer for button in BUTTONS)
    assert "Its user" not in changer
    shown = operator.get(page(key)).content.decode()
    assert f"{'/admin/portal/portalevent/'}?q=user_123" in shown
    act(operator, key, "lock")
    assert ">Unlock<" in operator.get(page(key)).content.decode()


def test_without_a_right_nothing_is_shown(config):
    key, _ = make_key()
    for client in (staff(),):
        for path in (
            KEYS,
            f"{KEYS}add/",
            f"{KEYS}0/lock/",
            *(page(key, name) for name in ("change", "history", *ACTS)),
        ):
            assert client.get(path).status_code == 403, path
            assert Client().get(path)["Location"].startswith("/admin/login/")


def test_whoever_may_add_keys_sees_the_secret_and_nothing_more(config):
    client = staff("add_apikey")
    form = {**hidden(client.get(f"{KEYS}add/")), "portal": config.pk, "external_id": "user_123", "name": "New"}
    assert verify(secret(client.post(f"{KEYS}add/", form))).valid
    assert client.get(page(ApiKey.objects.get())).status_code == 403


@pytest.mark.parametrize("name", ACTS)
def test_a_host_may_decide_key_by_key(operator, config, monkeypatch, name):
    allowed, denied = make_key()[0], make_key()[0]
    model_admin = site.get_model_admin(ApiKey)
    monkeypatch.setattr(model_admin, "has_change_permission", lambda request, obj=None: obj != denied)
    assert operator.get(page(denied, name)).status_code == 403
    assert operator.get(page(allowed, name)).status_code == 200
