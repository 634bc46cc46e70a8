"""API keys in the admin: found, looked at, made, edited (security rows 7, 28, 45)."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.db.models.signals import pre_save
from django.test import Client
from django.utils import timezone

from portal import clock, tokens
from portal.contrib.keys.models import ApiKey, KeyOwner, KeySecret
from portal.contrib.keys.verify import verify
from portal.keystore.base import Outcome
from portal.models import PortalConfig, PortalEvent
from tests.admin.forms import shown, submit
from tests.admin.rows import KEYS, address, assert_strict, cells, hidden, staff, text
from tests.contrib.keys.making import change, make_key, rotate
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db

ADD = f"{KEYS}add/"
State = ApiKey.State


def page(key, name="change"):
    return f"{KEYS}{key.pk}/{name}/"


def secret(response):
    """Return the secret that the page shows."""
    return re.search(r'id="portal-key"[^>]* value="([a-z_]+_[0-9A-Za-z]{49})"', response.content.decode())[1]


def new(client, config, **values):
    """Fill in the form and send it."""
    form = {
        **hidden(client.get(ADD)),
        "portal": config.pk,
        "external_id": "user_123",
        "name": "Production",
        **values,
    }
    return client.post(ADD, form), form


def events():
    return PortalEvent.objects.filter(kind__startswith="key.")


def moment(value):
    local = timezone.localtime(value)
    return {"expires_at_0": f"{local:%Y-%m-%d}", "expires_at_1": f"{local:%H:%M:%S}"}


@pytest.fixture
def one_of_each(config):
    """Return a key in each state, by state."""
    keys = {state: make_key(name=state.value)[0] for state in State}
    change(keys[State.EXPIRED], expires_at=clock.now())
    change(keys[State.DISABLED], enabled=False, expires_at=clock.now())
    change(keys[State.LOCKED], locked=True, enabled=False, expires_at=clock.now())
    change(keys[State.REVOKED], locked=True, enabled=False, revoked_at=clock.now())
    change(keys[State.ACTIVE], expires_at=clock.now() + timedelta(days=1))
    return keys


def test_the_list_shows_the_newest_first_with_what_operators_ask_for(operator, one_of_each):
    other, secret = make_key(keyspace_id="ks_other", external_id="user_9", name="Elsewhere")
    listed = operator.get(KEYS)
    assert cells(listed, "name") == ["Elsewhere", "revoked", "locked", "disabled", "expired", "active"]
    assert cells(listed, "key_state") == ["Active", "Revoked", "Locked", "Disabled", "Expired", "Active"]
    assert cells(listed, "portal") == ["ks_other", *["my-portal"] * 5]
    assert cells(listed, "masked")[0] == f"{secret[:7]}…"
    assert cells(listed, "external_id")[:2] == ["user_9", "user_123"]
    assert address(listed, "Elsewhere").startswith(page(other))
    assert secret not in listed.content.decode()
    assert_strict(listed)


@pytest.mark.parametrize("state", State.values)
def test_the_state_filter_and_the_state_of_a_row_are_one_thing(operator, one_of_each, state):
    assert cells(operator.get(KEYS, {"state": state}), "name") == [state]
    end = ApiKey.objects.get(name="active").expires_at
    for now in (end, end - timedelta(milliseconds=1)):
        listed = {key.name for key in ApiKey.objects.in_state(state, now)}
        assert listed == {key.name for key in ApiKey.objects.all() if key.state(now) == state}


def test_an_unknown_state_is_nobodys(operator, one_of_each):
    assert "Nothing found." in text(operator.get(KEYS, {"state": "asleep"}))


def test_the_filter_on_portals(operator, config):
    own = PortalConfigFactory(slug="own-keys", keyspace_id="")
    PortalConfigFactory(slug="same-keys", keyspace_id="ks_1")
    make_key(name="Shared")
    make_key(name="Own", keyspace_id=own.public_id)
    listed = operator.get(KEYS)
    # The oldest portal that shows the keys.
    assert cells(listed, "portal") == ["own-keys", "my-portal"]
    assert cells(operator.get(KEYS + address(listed, "my-portal, same-keys")), "name") == ["Shared"]
    assert cells(operator.get(KEYS, {"keyspace": own.public_id, "state": "active"}), "name") == ["Own"]
    assert cells(operator.get(KEYS, {"keyspace": "ks_2"}), "name") == []
    assert operator.get(KEYS, {"name__startswith": "S"}).status_code == 400


@pytest.mark.parametrize("external_id", ["john doe", "key_short", "Ärger", "100%", "sk_abcd"])
def test_search_finds_a_whole_external_id_and_nothing_else(operator, config, external_id):
    make_key(external_id=external_id)
    make_key(external_id=external_id, keyspace_id="ks_2")
    for near in (external_id.swapcase() + "x", external_id + "x", "x" + external_id):
        make_key(external_id=near)
    assert cells(operator.get(KEYS, {"q": f" {external_id} "}), "external_id") == [external_id] * 2
    assert "Nothing found." in text(operator.get(KEYS, {"q": external_id[:-1]}))
    assert len(cells(operator.get(KEYS, {"q": " "}), "external_id")) == 5


def test_portals_of_one_name_are_told_apart(operator, config):
    other = PortalConfigFactory(slug="other-portal", display_name=config.display_name, keyspace_id="ks_2")
    choices = set(re.findall(r"<option[^>]*>(.*?)</option>", operator.get(ADD).content.decode()))
    assert {"Northwind Maps (my-portal)", f"Northwind Maps ({other.slug})"} <= choices


def test_search_finds_a_key_by_its_id_and_by_the_start_of_either_secret(operator, config):
    key, old = make_key(name="Rotated")
    make_key(name="Other")
    new = rotate(key, timedelta(hours=1))
    for term in (key.public_id, old[:7], new[:7], f"{new[:7]}…"):
        assert cells(operator.get(KEYS, {"q": term}), "name") == ["Rotated"]
    for term in (old[:6], old[3:7], old, "key_0123456789012345678901"):
        assert cells(operator.get(KEYS, {"q": term}), "name") == []
    ApiKey.objects.revoke(key.public_id)
    # Its secrets are forgotten, all but the start of the last one.
    assert cells(operator.get(KEYS, {"q": new[:7]}), "key_state") == ["Revoked"]


def test_a_key_shows_all_there_is_to_know_and_no_hash(operator, config):
    key, old = make_key(permissions=["maps.read"], metadata={"plan": "pro"}, rate_limit=10)
    new = rotate(key, timedelta(hours=1))
    third = rotate(key, timedelta(hours=2))
    shown_page = operator.get(page(key))
    words = text(shown_page)
    for seen in (key.name, "user_123", "my-portal", key.public_id, "Active", "maps.read", '"plan"', "with the key"):
        assert seen in words
    assert [f"{start[:7]}…" in words for start in (old, new, third)] == [True] * 3
    assert words.count("ended ") == 1
    page_text = shown_page.content.decode()
    for value in (old, new, third):
        assert value not in page_text
        assert tokens.digest(value).hex() not in page_text
    assert "hash" not in page_text.lower().replace("request", "")
    assert_strict(shown_page)
    ApiKey.objects.revoke(key.public_id)
    words = text(operator.get(page(key)))
    assert "No secrets remain." in words
    assert "Revoked" in words


def test_row_7_a_made_key_is_in_the_answer_to_the_form_and_nowhere_else(operator, config):
    PortalConfig.objects.update(key_prefix="nw_live", key_default_permissions=["maps.read"], key_default_days=7)
    answer, _ = new(operator, config)
    value = secret(answer)
    key = ApiKey.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "Copy this key now. It cannot be shown again." in text(answer)
    assert answer.content.decode().count(value) == 1
    assert_strict(answer)
    assert value.startswith("nw_live_")
    assert verify(value, permissions="maps.read", keyspace_id="ks_1").valid
    assert (key.keyspace_id, key.external_id, key.name) == ("ks_1", "user_123", "Production")
    assert key.permissions == ["maps.read"]
    assert timedelta(days=7) - timedelta(minutes=1) < key.expires_at - clock.now() <= timedelta(days=7)
    pages = [KEYS, page(key), page(key, "history"), page(key, "rotate"), "/admin/", "/admin/portal/portalevent/"]
    written = "".join(operator.get(path).content.decode() for path in pages)
    written += "".join(str(entry.__dict__) for entry in LogEntry.objects.all())
    written += "".join(str(session.get_decoded()) for session in Session.objects.all())
    written += "".join(json.dumps(event.detail) for event in PortalEvent.objects.all())
    written += str(answer.cookies) + str(answer.headers)
    for part in (value, value[12:], tokens.digest(value).hex(), str(tokens.digest(value))):
        assert part not in written
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.is_addition()) == ("Production", True)


def test_row_45_making_a_key_is_recorded_with_the_operator(operator, config):
    new(operator, config)
    event = events().get()
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", "ada", "127.0.0.1")
    assert (event.portal_id, event.external_id) == (config.public_id, "user_123")
    assert event.detail == {"key_id": ApiKey.objects.get().public_id, "name": "Production"}


def test_what_is_chosen_holds_though_users_could_not_choose_it(operator):
    own = PortalConfigFactory(keyspace_id="", key_limit=1)
    new(operator, own)
    answer, _ = new(operator, own, name=" CI ", never_expires="on", permissions="maps.write\r\nmaps.read")
    key = ApiKey.objects.get(name="CI")
    assert (key.keyspace_id, key.expires_at, key.permissions) == (own.public_id, None, ["maps.write", "maps.read"])
    end = clock.now().replace(microsecond=0) + timedelta(days=4000)
    new(operator, own, name="Long", **moment(end))
    assert ApiKey.objects.get(name="Long").expires_at == end
    assert verify(secret(answer), permissions=["maps.read", "maps.write"]).valid


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "a\tb"}, "This must not have line breaks or other control characters."),
        ({"name": "x" * 101}, "Ensure this value has at most 100 characters"),
        ({"name": "Taken"}, "This user has a key of this name. Choose another name."),
        ({"external_id": ""}, "This field is required."),
        ({"external_id": "x" * 257}, "Ensure this value has at most 256 characters"),
        ({"external_id": "a\0b"}, "Null characters are not allowed."),
        ({"portal": ""}, "This field is required."),
        ({"portal": "0"}, "Select a valid choice."),
        ({"permissions": "maps read"}, "Line 1, “maps read”: use 1 to 100 letters"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "Choose a time in the future."),
        (
            {"never_expires": "on", "expires_at_0": "2099-01-01", "expires_at_1": "00:00"},
            "Leave this empty if the key never expires.",
        ),
        ({"request_id": "short"}, "Open this form again."),
    ],
)
def test_what_is_wrong_is_said_and_no_key_is_made(operator, config, values, message):
    make_key(name="Taken")
    answer, _ = new(operator, config, **values)
    assert answer.status_code == 200
    assert message in text(answer)
    assert ApiKey.objects.count() == 1
    assert not events().exists()
    assert_strict(answer)


def test_a_name_is_taken_among_one_users_live_keys_only(operator, config):
    gone, _ = make_key(name="Production")
    ApiKey.objects.revoke(gone.public_id)
    make_key(name="Production", external_id="user_9")
    make_key(name="Production", keyspace_id="ks_2")
    assert secret(new(operator, config)[0])


def test_the_same_form_sent_again_makes_no_second_key(operator, config):
    answer, form = new(operator, config)
    value = secret(answer)
    for values in (form, {**form, "name": "Another name"}):
        again = operator.post(ADD, values)
        assert again.status_code == 409
        assert "This key was created already" in text(again)
        assert "sk_" not in again.content.decode()
        assert_strict(again)
    key = ApiKey.objects.get()
    assert page(key) in again.content.decode()
    assert verify(value).valid
    assert new(operator, config, name="Second")[0].status_code == 200
    # What one operator's form holds is nothing to another.
    assert staff("add_apikey").post(ADD, {**form, "name": "Third"}).status_code == 200
    assert ApiKey.objects.count() == 3
    assert re.fullmatch("key_[0-9A-Za-z]{22}", key.public_id)


class Meanwhile:
    """Does something once, in another connection, before a transaction begins to write, as ``begin`` says."""

    def __init__(self, act, begin='INSERT INTO "portal_keys_keyowner"'):
        self.act = act
        self.begin = begin
        self.answers = []

    def __call__(self, execute, sql, params, many, context):
        if not self.answers and sql.startswith(self.begin):
            # Nothing was read in it: on SQLite it could not write any more after the other did.
            self.answers.append(None)
            thread = threading.Thread(target=self.elsewhere)
            thread.start()
            thread.join()
        return execute(sql, params, many, context)

    def elsewhere(self):
        self.answers.append(self.act())
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_at_once_makes_one_key(operator, config):
    twin = Client()
    twin.cookies = operator.cookies
    form = {**hidden(operator.get(ADD)), "portal": config.pk, "external_id": "user_123", "name": "Production"}
    first = Meanwhile(lambda: twin.post(ADD, {**form, "name": "First"}))
    with connection.execute_wrapper(first):
        late = operator.post(ADD, form)
    assert first.answers[1].status_code == 200
    assert late.status_code == 409
    assert "sk_" not in late.content.decode()
    assert ApiKey.objects.get().name == "First"
    assert events().get().kind == "key.created"


@pytest.mark.django_db(transaction=True)
def test_a_name_that_the_user_takes_meanwhile_is_said_in_the_form(operator, config):
    form = {**hidden(operator.get(ADD)), "portal": config.pk, "external_id": "user_123", "name": "Production"}
    with connection.execute_wrapper(Meanwhile(lambda: make_key(name="Production"))):
        answer = operator.post(ADD, form)
    assert "This user has a key of this name." in text(answer)
    assert ApiKey.objects.count() == 1
    # The same form makes the key once the name is another.
    assert secret(operator.post(ADD, {**form, "name": "Production 2"}))


@pytest.mark.parametrize("atomic_requests", [False, True])
@pytest.mark.django_db(transaction=True)
def test_an_operator_and_a_user_write_at_once(operator, config, monkeypatch, atomic_requests):
    """On SQLite a transaction that has read cannot write after somebody else did."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    key, _ = make_key()
    form = {**shown(operator.get(page(key))), "rate_limit": "5"}
    editing = Meanwhile(lambda: make_key(name="Meanwhile"), 'UPDATE "portal_keys_apikey"')
    with connection.execute_wrapper(editing):
        assert operator.post(page(key), form).status_code == 302
    assert ApiKey.objects.get(pk=key.pk).rate_limit == 5
    form = {**hidden(operator.get(ADD)), "portal": config.pk, "external_id": "user_123", "name": "Production"}
    making = Meanwhile(lambda: make_key(name="Meanwhile 2"))
    with connection.execute_wrapper(making):
        assert secret(operator.post(ADD, form))
    assert len(editing.answers) == len(making.answers) == 2
    assert ApiKey.objects.count() == 4


def test_a_fault_that_is_no_second_sending_stays_a_fault(operator, config):
    def fail(execute, sql, params, many, context):
        if "portal_keys_keyowner" in sql:
            raise DatabaseError("away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError, match="away"):
        new(operator, config)
    assert not ApiKey.objects.exists()


def test_a_key_whose_event_cannot_be_written_is_not_made(operator, config):
    def refuse(sender, **kwargs):
        raise DatabaseError("away")

    pre_save.connect(refuse, sender=PortalEvent)
    try:
        with pytest.raises(DatabaseError, match="away"):
            new(operator, config)
    finally:
        pre_save.disconnect(refuse, sender=PortalEvent)
    assert not ApiKey.objects.exists()
    assert not KeySecret.objects.exists()


def test_what_an_operator_sets_is_recorded_and_counts_as_a_change(operator, config):
    key, value = make_key()
    end = clock.now().replace(microsecond=0) + timedelta(days=3)
    submit(
        operator,
        page(key),
        permissions="maps.read\r\nmaps.write",
        metadata='{"plan": "pro"}',
        rate_limit="100",
        rate_limit_seconds="10",
        **moment(end),
    )
    changed = ApiKey.objects.get()
    assert (changed.permissions, changed.metadata) == (["maps.read", "maps.write"], {"plan": "pro"})
    assert (changed.rate_limit, changed.rate_limit_seconds, changed.expires_at) == (100, 10, end)
    assert changed.revision == key.revision + 1
    assert changed.updated_at is not None
    assert verify(value, permissions="maps.write").valid
    event = events().get()
    assert (event.kind, event.actor_id, event.address) == ("key.changed", "ada", "127.0.0.1")
    assert (event.portal_id, event.external_id) == (config.public_id, "user_123")
    fields = ["expires_at", "metadata", "permissions", "rate_limit", "rate_limit_seconds"]
    assert event.detail == {"key_id": key.public_id, "name": key.name, "fields": fields}
    submit(operator, page(key), rate_limit="", expires_at_0="", expires_at_1="")
    assert (ApiKey.objects.get().rate_limit, ApiKey.objects.get().expires_at) == (None, None)
    assert events().first().detail["fields"] == ["expires_at", "rate_limit"]


def test_saving_without_a_change_writes_nothing(operator, config):
    make_key(expires_at=clock.now() + timedelta(days=3), metadata={"b": 1, "a": 2}, permissions=["maps.read"])
    before = ApiKey.objects.values().get()
    submit(operator, page(ApiKey.objects.get()))
    assert ApiKey.objects.values().get() == before
    assert not events().exists()


def test_the_owners_name_and_switch_and_all_secrets_stay(operator, config):
    key, _ = make_key(name="Mine")
    before = ApiKey.objects.values().get()
    submit(
        operator, page(key), name="Theirs", enabled="", locked="on", start="x", public_id="key_x", external_id="user_9"
    )
    assert ApiKey.objects.values().get() == before


def test_an_operator_and_an_owner_do_not_overwrite_each_other(operator, config):
    """The operator opened the form before the owner saved."""
    key, _ = make_key(permissions=["maps.read"], expires_at=clock.now() + timedelta(days=3))
    opened = shown(operator.get(page(key)))
    ApiKey.objects.change(key.public_id, permissions=["maps.write"], expires_at=None, name="Renamed")
    submit(operator, page(key), opened, rate_limit="5")
    saved = ApiKey.objects.get()
    assert (saved.permissions, saved.expires_at, saved.name) == (["maps.write"], None, "Renamed")
    assert (saved.rate_limit, saved.revision) == (5, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"metadata": "[1]"}, "Give a JSON object"),
        ({"metadata": '{"a": "\\u0000"}'}, "This has characters or numbers that JSON in a database cannot hold."),
        ({"metadata": '{"a": "\\ud800"}'}, "This has characters or numbers that JSON in a database cannot hold."),
        ({"metadata": '{"a": NaN}'}, "This has characters or numbers that JSON in a database cannot hold."),
        ({"metadata": "{"}, "Enter a valid JSON."),
        # Deeper than any Python's reader goes; newer ones go further.
        ({"metadata": '{"a":' * 100_000 + "1" + "}" * 100_000}, "Enter a valid JSON."),
        ({"metadata": f'{{"a": {"9" * 5000}}}'}, "Enter a valid JSON."),
        ({"metadata": '{"a":' * 101 + "1" + "}" * 101}, "This is nested too deeply."),
        (
            {"metadata": '{"a": [{"\\u0000": 1}]}'},
            "This has characters or numbers that JSON in a database cannot hold.",
        ),
        ({"metadata": "[]"}, "Give a JSON object"),
        ({"permissions": "a b"}, "Line 1, “a b”"),
        ({"rate_limit": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"rate_limit_seconds": ""}, "This field is required."),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "Choose a time in the future, or lock the key."),
    ],
)
def test_what_cannot_be_set_is_said(operator, config, values, message):
    key, _ = make_key()
    answer = submit(operator, page(key), **values)
    assert message in text(answer)
    assert ApiKey.objects.get().revision == 1
    assert_strict(answer)


def test_metadata_may_nest_and_name_what_it_may_not_hold(operator, config):
    """A backslash and u0000 as plain text is no NUL."""
    key, value = make_key()
    metadata = {"path": r"C:\u0000", "list": [1, 1.5, True, None, {"ä": "🎉"}]}
    submit(operator, page(key), metadata=json.dumps(metadata))
    assert verify(value).key.metadata == metadata
    deepest = '{"a":' * 100 + "1" + "}" * 100
    submit(operator, page(key), metadata=deepest)
    assert verify(value).key.metadata == json.loads(deepest)
    assert operator.get(page(key)).status_code == 200


def test_a_key_that_has_expired_can_be_edited_and_locked_keys_too(operator, config):
    key, value = make_key(expires_at=clock.now() - timedelta(days=1), locked=True)
    submit(operator, page(key), rate_limit="5")
    assert ApiKey.objects.get().rate_limit == 5
    submit(operator, page(key), **moment(clock.now() + timedelta(days=1)))
    assert verify(value).outcome is Outcome.FORBIDDEN


def test_a_key_that_is_revoked_meanwhile_is_not_changed(operator, config):
    key, _ = make_key()
    form = shown(operator.get(page(key)))

    def meanwhile(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "portal_keys_apikey" in sql and not gone:
            gone.append(key)
            ApiKey.objects.revoke(key.public_id)
        return execute(sql, params, many, context)

    gone = []
    with connection.execute_wrapper(meanwhile):
        answer = operator.post(page(key), {**form, "rate_limit": "5"})
    assert answer.status_code == 409
    assert "This key was revoked meanwhile; nothing was changed." in text(answer)
    assert ApiKey.objects.get().rate_limit is None
    assert not LogEntry.objects.exists()
    assert not PortalEvent.objects.filter(kind="key.changed").exists()


def test_a_revoked_key_is_there_to_look_at(operator, config):
    key, _ = make_key()
    ApiKey.objects.revoke(key.public_id)
    looked_at = operator.get(page(key))
    assert set(shown(looked_at)) <= {"csrfmiddlewaretoken"}
    assert not any(f">{button}<" in looked_at.content.decode() for button in ("Lock", "Rotate", "Revoke"))
    assert operator.post(page(key), {"rate_limit": "5"}).status_code == 403


def test_keys_are_revoked_not_deleted(operator, config):
    key, _ = make_key()
    assert operator.get(page(key, "delete")).status_code == 403
    assert operator.post(page(key, "delete"), {"post": "yes"}).status_code == 403
    operator.post(KEYS, {"action": "delete_selected", "post": "yes", "_selected_action": [key.pk]})
    assert ApiKey.objects.exists()


def test_the_history_is_the_admins_own_too(operator, config):
    key, _ = make_key()
    submit(operator, page(key), rate_limit="5")
    assert LogEntry.objects.get().get_change_message() == "Changed Rate limit."
    assert operator.get(page(key, "history")).status_code == 200


def test_a_key_that_is_not_there(operator):
    for name in ("lock", "unlock", "rotate", "revoke"):
        assert operator.get(f"{KEYS}0/{name}/").status_code == operator.post(f"{KEYS}0/{name}/").status_code == 404
    assert operator.get(f"{KEYS}0/change/").status_code == 302


def test_the_app_in_the_admins_index(operator):
    assert "API keys" in text(operator.get("/admin/"))
    assert [model.__name__ for model in site._registry if model._meta.app_label == "portal_keys"] == ["ApiKey"]


def test_rows_have_names_for_people_and_no_secrets(operator, config):
    value = secret(new(operator, config)[0])
    assert str(KeySecret.objects.get()) == f"{value[:7]}…"
    assert (str(ApiKey.objects.get()), str(KeyOwner.objects.get())) == ("Production", "user_123")
