"""What a session does with its keys: authorised, within the policy, on record (decision 18, F23, row 24)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, connection

from portal import clock
from portal.authenticate import authenticate_session
from portal.errors import Forbidden, InsufficientPermissions, InvalidInput, KeyNameTaken
from portal.keystore.actions import SessionKeys
from portal.keystore.base import KeyQuery
from portal.models import PortalConfig, PortalEvent
from tests.envelopes import assert_answer, assert_refused
from tests.factories import ALL, PortalConfigFactory, sign_in

pytestmark = pytest.mark.django_db

UNWRITABLE = [IntegrityError("CHECK constraint failed"), OperationalError("disk full")]


@contextmanager
def no_events(error: Exception) -> Iterator[None]:
    """Let every insert of an event fail with ``error``."""

    def fail(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith(f'INSERT INTO "{PortalEvent._meta.db_table}"'):
            raise error
        return execute(sql, *args)

    with connection.execute_wrapper(fail):
        yield


def keys_of(config: PortalConfig, *, granted: Any = ALL, **options: Any) -> SessionKeys:
    session = authenticate_session(sign_in(config, granted=granted, **options).secret)
    return SessionKeys(session, config, address="192.0.2.1")


@pytest.fixture
def keys(use: Callable[..., Any]) -> SessionKeys:
    use("RowStore")
    return keys_of(PortalConfigFactory(key_permissions=["maps.read"], key_default_permissions=["maps.read"]))


ACTS: dict[str, tuple[str, Callable[[SessionKeys, str], Any]]] = {
    "list": ("keys:read", lambda keys, key_id: keys.list(KeyQuery())),
    "get": ("keys:read", lambda keys, key_id: keys.get(key_id)),
    "create": ("keys:create", lambda keys, key_id: create(keys, "Another")),
    "update": ("keys:update", lambda keys, key_id: keys.update(key_id, {"name": "Renamed"})),
    "reroll": ("keys:reroll", lambda keys, key_id: keys.reroll(key_id, grace=None, request_id="r1")),
    "end": ("keys:reroll", lambda keys, key_id: keys.end_old_secret(key_id)),
    "revoke": ("keys:delete", lambda keys, key_id: keys.revoke(key_id)),
}


def create(keys: SessionKeys, name: str = "Server", **options: Any) -> Any:
    options = {"expires_at": keys.default_expiry(), "request_id": f"create {name}", **options}
    return keys.create(name, **options)


@pytest.mark.parametrize("act", ACTS)
def test_row_24_each_needs_its_capability(keys: SessionKeys, act: str) -> None:
    needed, do = ACTS[act]
    config, key = keys.owner.config, create(keys).key
    events = PortalEvent.objects.filter(kind__startswith="key.")
    before = events.count()
    without = keys_of(config, granted=tuple(one for one in ALL if one != needed))
    with pytest.raises(InsufficientPermissions, match=needed):
        do(without, key.id)
    preview = keys_of(config, preview=True)
    if needed == "keys:read":
        do(preview, key.id)
    else:
        with pytest.raises(Forbidden, match="preview"):
            do(preview, key.id)
    assert keys.get(key.id) == key
    assert events.count() == before
    do(keys_of(config, granted=(needed,)), key.id)


@pytest.mark.parametrize(
    ("options", "location"),
    [
        ({"name": ""}, "body.name"),
        ({"name": "   "}, "body.name"),
        ({"name": "x" * 101}, "body.name"),
        ({"name": "two\nlines"}, "body.name"),
        ({"expires_at": None}, "body.expires"),
        ({"expires_at": clock.now() - timedelta(days=1)}, "body.expires"),
        ({"expires_at": clock.now() + timedelta(days=400)}, "body.expires"),
        ({"permissions": ("maps.read", "maps.write")}, "body.permissions[1]"),
    ],
)
def test_the_policy_is_asked_before_the_store(keys: SessionKeys, options: dict[str, Any], location: str) -> None:
    key = create(keys).key
    with pytest.raises(InvalidInput) as caught:
        create(keys, **{"name": "Another", **options})
    assert [error["location"] for error in caught.value.errors] == [location]
    with pytest.raises(InvalidInput) as caught:
        keys.update(key.id, options)  # type: ignore[arg-type]
    assert [error["location"] for error in caught.value.errors] == [location]
    assert keys.list(KeyQuery()).keys == (key,)
    assert PortalEvent.objects.filter(kind__startswith="key.").count() == 1


def test_all_that_is_wrong_is_said_at_once(keys: SessionKeys) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(keys, "", expires_at=None, permissions=("fly", "maps.read", "swim"))
    assert [error["location"] for error in caught.value.errors] == [
        "body.name",
        "body.expires",
        "body.permissions[0]",
        "body.permissions[2]",
    ]


def test_what_holds_when_nothing_is_said(keys: SessionKeys) -> None:
    now = clock.now()
    with clock.using(lambda: now):
        key, _ = create(keys, "  Server ")
        assert (key.name, key.permissions, key.expires_at) == ("Server", ("maps.read",), now + timedelta(days=90))
        after, _ = keys.reroll(key.id, grace=None, request_id="r1")
    assert after.old_secret is not None
    assert after.old_secret.ends_at == now + timedelta(hours=24)
    assert create(keys, "None", permissions=()).key.permissions == ()
    assert keys.update(key.id, {"name": " Laptop "}).name == "Laptop"


def test_a_grace_that_is_not_offered_is_refused(keys: SessionKeys) -> None:
    key = create(keys).key
    with pytest.raises(InvalidInput) as caught:
        keys.reroll(key.id, grace=timedelta(days=8), request_id="r1")
    assert [error["location"] for error in caught.value.errors] == ["body.expiration"]
    assert keys.get(key.id) == key


def test_without_grace_in_the_store_a_rotation_ends_the_old_secret(
    keys: SessionKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(keys.store.store), "supports_grace", False)
    key = create(keys).key
    assert keys.reroll(key.id, grace=timedelta(hours=1), request_id="r1").key.old_secret is None
    assert keys.end_old_secret(key.id).old_secret is None


def test_a_store_without_permissions_is_asked_for_none(keys: SessionKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(keys.store.store), "supports_permissions", False)
    assert create(keys).key.permissions == ()
    with pytest.raises(InvalidInput) as caught:
        create(keys, "Another", permissions=("maps.read",))
    assert [error["message"] for error in caught.value.errors] == ["This permission is not offered. There are: none."]


def test_ending_an_old_secret_is_on_record(keys: SessionKeys) -> None:
    key = create(keys).key
    keys.reroll(key.id, grace=timedelta(hours=1), request_id="r1")
    assert keys.end_old_secret(key.id).old_secret is None
    event = PortalEvent.objects.get(kind="key.secret_ended")
    assert event.detail == {"key_id": key.id, "name": "Server"}
    assert (event.actor_id, event.address, event.external_id) == ("user_123", "192.0.2.1", "user_123")
    assert event.session_id == keys.session.id


def test_where_nothing_ends_nothing_is_on_record(keys: SessionKeys) -> None:
    key = create(keys).key
    assert keys.end_old_secret(key.id) == key
    assert not PortalEvent.objects.filter(kind="key.secret_ended").exists()


def test_what_the_store_refuses_is_no_event(keys: SessionKeys) -> None:
    create(keys)
    with pytest.raises(KeyNameTaken):
        create(keys, request_id="again")
    assert PortalEvent.objects.filter(kind="key.created").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", UNWRITABLE, ids=lambda error: type(error).__name__)
def test_f23_without_its_event_nothing_happens_in_a_store_in_the_database(
    api: Callable[..., Any], use: Callable[..., Any], token: str, error: Exception
) -> None:
    use("RowStore")
    key_id = assert_answer(api("createKey", {"name": "Server"}, token=token))["data"]["keyId"]
    for operation, body in (("createKey", {"name": "Another"}), ("deleteKey", {"keyId": key_id})):
        with no_events(error):
            answer = api(operation, body, token=token)
        assert_refused(answer, 503, "unkey/application/service_unavailable")
        assert [group.name for group in Group.objects.all()] == [key_id]
    assert_answer(api("deleteKey", {"keyId": key_id}, token=token))
    assert not Group.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", UNWRITABLE, ids=lambda error: type(error).__name__)
def test_a_store_elsewhere_has_acted_and_its_secret_is_delivered(
    api: Callable[..., Any],
    use: Callable[..., Any],
    token: str,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = use("RemoteStore")
    with no_events(error), caplog.at_level(logging.ERROR, "portal.keystore"):
        made = assert_answer(api("createKey", {"name": "Server"}, token=token))["data"]
        body = {"keyId": made["keyId"], "expiration": 0}
        rotated = assert_answer(api("rerollKey", body, token=token))["data"]
    assert store.accepts(rotated["key"])
    assert not PortalEvent.objects.filter(kind__startswith="key.").exists()
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "key.created happened and could not be recorded",
        "key.rotated happened and could not be recorded",
    ]
    for record in caplog.records:
        assert record.exc_info
        assert made["key"] not in caplog.text
        assert rotated["key"] not in caplog.text
    # The next one is recorded again.
    assert_answer(api("updateKey", {"keyId": made["keyId"], "name": "Renamed"}, token=token))
    assert PortalEvent.objects.filter(kind="key.changed").count() == 1
