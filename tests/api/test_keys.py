"""The operations on the end user's keys, as they succeed (wire contract section 5, issue 5)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal import clock, tokens
from portal.api.views.keys import key_item
from portal.keystore.base import Key, OldSecret, RateLimit
from portal.models import PortalConfig
from tests.envelopes import assert_answer
from tests.factories import sign_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)
NOW_MS = 1795521600123
DAY_MS = 86_400_000
OPTIONAL = {
    "name",
    "meta",
    "updatedAt",
    "lastUsedAt",
    "expires",
    "permissions",
    "roles",
    "credits",
    "identity",
    "ratelimits",
}


@pytest.fixture(autouse=True)
def noon():
    """Let it be noon, for the whole of a test."""
    with clock.using(lambda: NOW):
        yield


@pytest.fixture
def create(api, store, token):
    """Return ``create(name, **members)``, which makes a key and returns its id and secret."""

    def call(name="Laptop", **members):
        data = assert_answer(api("createKey", {"name": name, **members}, token=token))["data"]
        return data["keyId"], data["key"]

    return call


@pytest.fixture
def listed(api, store, token):
    """Return ``listed()``, which returns the keys as listKeys answers them."""
    return lambda: assert_answer(api("listKeys", token=token))["data"]


def nulls(value):
    if isinstance(value, dict):
        return any(nulls(inner) for inner in value.values())
    return any(nulls(inner) for inner in value) if isinstance(value, list) else value is None


def test_a_new_key(create, listed, store):
    key_id, key = create()
    assert re.fullmatch(r"key_[0-9A-Za-z]{22}", key_id)
    assert tokens.is_api_key(key)
    assert key.startswith("acme_live_")
    assert listed() == [
        {
            "keyId": key_id,
            "start": key[:14],
            "name": "Laptop",
            "enabled": True,
            "createdAt": NOW_MS,
            # Ninety days, the portal's default.
            "expires": NOW_MS + 90 * DAY_MS,
        }
    ]
    assert store.accepts(key)


def test_create_answers_the_id_and_the_secret_and_no_more(api, store, token):
    answer = assert_answer(api("createKey", {"name": "Laptop"}, token=token))
    assert set(answer) == {"meta", "data"}
    assert set(answer["data"]) == {"keyId", "key"}


def test_create_with_all_members(create, listed):
    create("  Laptop\t", expires=NOW_MS + 1, permissions=["maps.write", "maps.read", "maps.write"])
    (key,) = listed()
    # Spaces around a name do not count, and a permission counts once.
    assert (key["name"], key["expires"], key["permissions"]) == ("Laptop", NOW_MS + 1, ["maps.write", "maps.read"])


def test_create_without_an_end_where_the_portal_allows_it(create, listed):
    PortalConfig.objects.update(key_never_expires=True)
    create("Null", expires=None)
    create("Left out")
    assert {key["name"]: key.get("expires") for key in listed()} == {"Null": None, "Left out": NOW_MS + 90 * DAY_MS}


def test_permissions_left_out_are_the_portals_default_and_an_empty_list_is_none(create, listed):
    PortalConfig.objects.update(key_default_permissions=["maps.read"])
    create("Left out")
    create("Empty", permissions=[])
    assert {key["name"]: key.get("permissions") for key in listed()} == {"Left out": ["maps.read"], "Empty": None}


def full_key():
    return Key(
        id="key_1",
        start="sk_abcd",
        name="Laptop",
        created_at=NOW,
        expires_at=NOW + timedelta(microseconds=999),
        updated_at=NOW + timedelta(seconds=1),
        last_used_at=NOW + timedelta(hours=1),
        permissions=("maps.read",),
        metadata={"plan": "pro"},
        rate_limit=RateLimit(100, timedelta(minutes=1)),
        old_secret=OldSecret("sk_wxyz", NOW, in_use=True),
        version="7",
    )


def test_a_key_with_everything_is_as_the_contract_writes_it():
    assert key_item(full_key()) == {
        "keyId": "key_1",
        "start": "sk_abcd",
        "name": "Laptop",
        "enabled": True,
        "createdAt": NOW_MS,
        "updatedAt": NOW_MS + 1000,
        "lastUsedAt": NOW_MS + 3_600_000,
        "expires": NOW_MS,
        "permissions": ["maps.read"],
        "meta": {"plan": "pro"},
        "ratelimits": [{"id": "key_1", "name": "requests", "limit": 100, "duration": 60_000, "autoApply": True}],
    }


def test_what_a_key_does_not_have_is_left_out_and_never_null():
    item = key_item(Key(id="key_1", start="sk_abcd", name="Laptop", created_at=NOW))
    assert set(item) == {"keyId", "start", "name", "enabled", "createdAt"}
    for made in (item, key_item(full_key())):
        assert {"keyId", "start", "createdAt", "enabled"} <= set(made)
        assert set(made) - {"keyId", "start", "createdAt", "enabled"} <= OPTIONAL
        assert not nulls(made)


@pytest.mark.parametrize(
    ("enabled", "locked", "shown"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_a_locked_key_is_not_enabled(enabled, locked, shown):
    assert key_item(replace(full_key(), enabled=enabled, locked=locked))["enabled"] is shown


def test_a_walk_through_the_pages_meets_every_key_once_the_newest_first(api, store, token, create):
    PortalConfig.objects.update(key_limit=None)
    made = []
    for number in range(7):
        with clock.using(lambda number=number: NOW + timedelta(seconds=number)):
            made.insert(0, create(f"Key {number}")[0])
    walked, cursor, sizes = [], {}, []
    while True:
        answer = assert_answer(api("listKeys", {"limit": 3, **cursor}, token=token))
        walked += [key["keyId"] for key in answer["data"]]
        sizes.append(len(answer["data"]))
        if not answer["pagination"]["hasMore"]:
            # Left out on the last page, for a null is what clients choke on.
            assert answer["pagination"] == {"hasMore": False}
            break
        assert set(answer["pagination"]) == {"hasMore", "cursor"}
        cursor = {"cursor": answer["pagination"]["cursor"]}
    assert walked == made
    assert sizes == [3, 3, 1]


def test_a_page_that_is_just_full_is_the_last(api, token, create):
    for name in ("One", "Two"):
        create(name)
    assert assert_answer(api("listKeys", {"limit": 2}, token=token))["pagination"] == {"hasMore": False}


def test_reroll_keeps_the_key_and_gives_it_another_secret(api, store, token, create, listed):
    key_id, old = create(permissions=["maps.read"])
    (before,) = listed()
    answer = assert_answer(api("rerollKey", {"keyId": key_id, "expiration": 60_000}, token=token))
    assert set(answer) == {"meta", "data"}
    new = answer["data"].pop("key")
    assert answer["data"] == {"keyId": key_id}
    assert new != old
    assert tokens.is_api_key(new)
    (after,) = listed()
    assert after == {**before, "start": tokens.api_key_start(new), "updatedAt": NOW_MS}
    for milliseconds, accepted in ((59_999, True), (60_000, False)):
        with clock.using(lambda later=milliseconds: NOW + timedelta(milliseconds=later)):
            assert (store.accepts(old), store.accepts(new)) == (accepted, True)


def test_reroll_with_zero_ends_the_old_secret_at_once(api, store, token, create):
    key_id, old = create()
    assert_answer(api("rerollKey", {"keyId": key_id, "expiration": 0}, token=token))
    assert not store.accepts(old)


@pytest.mark.parametrize(
    ("setting", "allowed", "seconds"),
    [
        (timedelta(hours=24), [0, 3600, 86400], 86400),
        # Not among those that the portal allows: the nearest.
        (timedelta(hours=24), [0, 3600], 3600),
        (timedelta(0), [900, 3600], 900),
    ],
)
def test_reroll_with_null_is_the_portals_default(api, store, token, create, settings, setting, allowed, seconds):
    settings.PORTAL = {**settings.PORTAL, "REROLL_GRACE": setting}
    PortalConfig.objects.update(key_grace_periods=allowed)
    key_id, old = create()
    assert_answer(api("rerollKey", {"keyId": key_id, "expiration": None}, token=token))
    for later, accepted in ((seconds - 1, True), (seconds, False)):
        with clock.using(lambda later=later: NOW + timedelta(seconds=later)):
            assert store.accepts(old) is accepted


def test_update_answers_the_key_as_it_is_now(api, store, token, create, listed):
    key_id, secret = create()
    changes = {"name": " Desk ", "expires": NOW_MS + 5, "enabled": False, "permissions": ["maps.read", "maps.read"]}
    data = assert_answer(api("updateKey", {"keyId": key_id, **changes}, token=token))["data"]
    assert data == {
        "keyId": key_id,
        "start": secret[:14],
        "name": "Desk",
        "enabled": False,
        "createdAt": NOW_MS,
        "updatedAt": NOW_MS,
        "expires": NOW_MS + 5,
        "permissions": ["maps.read"],
    }
    assert listed() == [data]
    assert not store.accepts(secret)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Desk"}, {"name": "Desk"}),
        ({"name": "Laptop"}, {}),
        ({"expires": NOW_MS + 5}, {"expires": NOW_MS + 5}),
        ({"enabled": False}, {"enabled": False}),
        ({"permissions": []}, {"permissions": None}),
        ({"permissions": ["maps.write"]}, {"permissions": ["maps.write"]}),
        ({"expires": None}, {"expires": None}),
    ],
)
def test_update_leaves_the_rest_as_it_was(api, token, create, listed, change, expected):
    PortalConfig.objects.update(key_never_expires=True)
    key_id, _ = create(permissions=["maps.read"])
    (before,) = listed()
    assert_answer(api("updateKey", {"keyId": key_id, **change}, token=token))
    after = {**before, "updatedAt": NOW_MS, **expected}
    assert listed() == [{name: value for name, value in after.items() if value is not None}]


def test_a_disabled_key_can_be_enabled_again(api, store, token, create):
    key_id, secret = create()
    for enabled in (False, True):
        assert_answer(api("updateKey", {"keyId": key_id, "enabled": enabled}, token=token))
        assert store.accepts(secret) is enabled


def test_delete_refuses_the_key_and_frees_its_name(api, store, token, create, listed):
    key_id, secret = create("Laptop")
    assert assert_answer(api("deleteKey", {"keyId": key_id}, token=token))["data"] == {}
    assert listed() == []
    assert not store.accepts(secret)
    create("Laptop")


def test_decision_17_each_user_of_each_portal_has_their_own(api, store, config, create, listed):
    key_id, _ = create()
    other = sign_in(config, "user_456").secret
    assert assert_answer(api("listKeys", token=other))["data"] == []
    assert_answer(api("createKey", {"name": "Laptop"}, token=other))
    assert [key["keyId"] for key in listed()] == [key_id]


def test_another_session_of_the_same_user_has_the_same_keys(api, store, config, create, listed):
    create()
    assert assert_answer(api("listKeys", token=sign_in(config).secret))["data"] == listed()


def test_by_cookie_from_the_portals_own_origin(api, client, store, token):
    client.cookies["portal_session"] = token
    for headers in ({}, {"Origin": "https://portal.example.com"}, {"Sec-Fetch-Site": "same-origin"}):
        assert_answer(api("createKey", {"name": f"Key {len(headers)} {headers}"}, **headers))
