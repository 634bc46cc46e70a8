"""What the operations on keys refuse: members, bounds, the portal's policy, and what a key's state does not allow."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal import clock
from portal.keystore.base import Owner
from portal.models import PortalConfig
from tests.envelopes import assert_answer, assert_refused

pytestmark = pytest.mark.django_db

INVALID = "unkey/application/invalid_input"
NOT_ALLOWED = "The request asks for what this portal does not allow."
SCHEMA = "POST request body for '/v2/portal.{}' failed to validate schema"
LATE = 4102444800000
GOOD = {
    "listKeys": {},
    "createKey": {"name": "Laptop"},
    "rerollKey": {"keyId": "key_1", "expiration": 0},
    "updateKey": {"keyId": "key_1", "name": "Laptop"},
    "deleteKey": {"keyId": "key_1"},
}
BAD = [
    ("listKeys", {"limit": 0}, "limit", "This must be a number from 1 to 100."),
    ("listKeys", {"limit": 101}, "limit", "This must be a number from 1 to 100."),
    ("listKeys", {"limit": "1"}, "limit", "This must be a whole number."),
    ("listKeys", {"limit": None}, "limit", "This member must not be null."),
    ("listKeys", {"cursor": "x" * 513}, "cursor", "This must have at most 512 characters."),
    ("createKey", {"name": ...}, "name", "This member is required."),
    ("createKey", {"name": None}, "name", "This member must not be null."),
    ("createKey", {"name": 7}, "name", "This must be a string."),
    ("createKey", {"name": "x" * 1025}, "name", "This must have at most 1024 characters."),
    ("createKey", {"expires": -1}, "expires", f"This must be a number from 0 to {LATE}."),
    ("createKey", {"expires": LATE + 1}, "expires", f"This must be a number from 0 to {LATE}."),
    ("createKey", {"expires": "2027"}, "expires", "This must be a whole number."),
    ("createKey", {"expires": 1.5}, "expires", "This must be a whole number."),
    ("createKey", {"expires": True}, "expires", "This must be a whole number."),
    ("createKey", {"permissions": None}, "permissions", "This member must not be null."),
    ("createKey", {"permissions": "maps.read"}, "permissions", "This must be a list."),
    ("createKey", {"permissions": [7]}, "permissions[0]", "This must be a string."),
    (
        "createKey",
        {"permissions": ["maps.read", "x" * 101]},
        "permissions[1]",
        "This must have at most 100 characters.",
    ),
    ("createKey", {"permissions": ["maps.read"] * 101}, "permissions", "This must have at most 100 items."),
    ("rerollKey", {"keyId": ...}, "keyId", "This member is required."),
    ("rerollKey", {"expiration": ...}, "expiration", "This member is required."),
    ("rerollKey", {"expiration": -1}, "expiration", f"This must be a number from 0 to {LATE}."),
    ("rerollKey", {"expiration": LATE + 1}, "expiration", f"This must be a number from 0 to {LATE}."),
    ("rerollKey", {"expiration": "0"}, "expiration", "This must be a whole number."),
    ("rerollKey", {"expiration": False}, "expiration", "This must be a whole number."),
    ("updateKey", {"name": None}, "name", "This member must not be null."),
    ("updateKey", {"enabled": None}, "enabled", "This member must not be null."),
    ("updateKey", {"enabled": 1}, "enabled", "This must be true or false."),
    ("updateKey", {"expires": LATE + 1}, "expires", f"This must be a number from 0 to {LATE}."),
    ("updateKey", {"permissions": {}}, "permissions", "This must be a list."),
    *(
        (operation, {"keyId": value}, "keyId", message)
        for operation in ("rerollKey", "updateKey", "deleteKey")
        for value, message in (
            (None, "This member must not be null."),
            (7, "This must be a string."),
            ("k1", "This must have at least 3 characters."),
            ("k" * 256, "This must have at most 255 characters."),
            ("key-1", "This must be ASCII letters, digits and underscores."),
            ("key_1\n", "This must be ASCII letters, digits and underscores."),
            ("key_é", "This must be ASCII letters, digits and underscores."),
            ("key_٣", "This must be ASCII letters, digits and underscores."),
        )
    ),
]


@pytest.fixture
def key_id(api, store, token):
    """Return the id of a key that is there."""
    return assert_answer(api("createKey", {"name": "Laptop"}, token=token))["data"]["keyId"]


@pytest.mark.parametrize(("operation", "change", "location", "message"), BAD)
def test_row_25_bad_members_are_named(api, store, token, operation, change, location, message):
    body = {name: value for name, value in {**GOOD[operation], **change}.items() if value is not ...}
    answer = api(operation, body, token=token)
    (finding,) = assert_refused(answer, 400, INVALID, SCHEMA.format(operation))
    assert (finding["location"], finding["message"]) == (f"body.{location}", message)


@pytest.mark.parametrize("operation", GOOD)
@pytest.mark.parametrize(
    "member", ["externalId", "owner", "keyspaceId", "portal", "start", "id", "locked", "createdAt", "meta", "prefix"]
)
def test_row_25_unknown_members_are_refused(api, store, token, operation, member):
    findings = assert_refused(api(operation, {**GOOD[operation], member: "x"}, token=token), 400, INVALID)
    assert [finding["location"] for finding in findings] == [f"body.{member}"]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "WzEsMiwzXQ", "W3RydWUsIm5hbWUiLCJrIl0", "é"])
def test_a_cursor_of_something_else(api, store, token, key_id, cursor):
    findings = assert_refused(api("listKeys", {"cursor": cursor}, token=token), 400, INVALID)
    assert [finding["location"] for finding in findings] == ["body.cursor"]


def test_ids_at_their_bounds_are_looked_for(api, store, token):
    for key_id in ("k_1", "K" * 255):
        assert_refused(api("deleteKey", {"keyId": key_id}, token=token), 404, "unkey/data/key_not_found")


@pytest.mark.parametrize("operation", ["createKey", "updateKey"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Enter a name for the key."),
        (" \t ", "Enter a name for the key."),
        ("x" * 101, "This must have at most 100 characters."),
        ("a\nb", "This must not have line breaks or other control characters."),
        ("a\x7fb", "This must not have line breaks or other control characters."),
        ("a\x85b", "This must not have line breaks or other control characters."),
        ("a\u2028b", "This must not have line breaks or other control characters."),
        ("a\u202eb", "This must not have line breaks or other control characters."),
        ("a\u2067b", "This must not have line breaks or other control characters."),
        ("a\u200eb", "This must not have line breaks or other control characters."),
        ("a\u00adb", "This must not have line breaks or other control characters."),
        ("a\U000e0041b", "This must not have line breaks or other control characters."),
    ],
)
def test_names_that_may_not_be(api, store, token, key_id, operation, name, message):
    body = {"name": name} if operation == "createKey" else {"keyId": key_id, "name": name}
    findings = assert_refused(api(operation, body, token=token), 400, INVALID, NOT_ALLOWED)
    assert findings == [{"location": "body.name", "message": message}]


@pytest.mark.parametrize("name", ["x" * 100, "日本語 <b>", "  " + "x" * 100 + "\t", "שלום", "می\u200cخواهم"])
def test_names_that_may_be(api, store, token, name):
    assert_answer(api("createKey", {"name": name}, token=token))


def end_in(**time):
    return clock.to_milliseconds(clock.now() + timedelta(**time))


def test_ends_that_the_portal_does_not_allow(api, store, token, key_id):
    now = clock.now()
    with clock.using(lambda: now):
        latest = end_in(days=365)
        for operation, body in (("createKey", {"name": "Desk"}), ("updateKey", {"keyId": key_id})):
            for expires, message in (
                (end_in(), "This must be in the future."),
                (0, "This must be in the future."),
                (latest + 1, f"This must be {latest} or earlier."),
                (None, "Keys of this portal must have an end."),
            ):
                answer = api(operation, {**body, "expires": expires}, token=token)
                findings = assert_refused(answer, 400, INVALID, NOT_ALLOWED)
                assert findings == [{"location": "body.expires", "message": message}]
        assert_answer(api("createKey", {"name": "Desk", "expires": latest}, token=token))


def test_where_no_life_is_too_long(api, store, token):
    PortalConfig.objects.update(key_longest_days=None)
    assert_answer(api("createKey", {"name": "Desk", "expires": LATE}, token=token))


def test_permissions_that_the_portal_does_not_offer(api, store, token, key_id):
    for operation, body in (("createKey", {"name": "Desk"}), ("updateKey", {"keyId": key_id})):
        answer = api(operation, {**body, "permissions": ["maps.read", "admin", "*"]}, token=token)
        message = "This permission is not offered. There are: maps.read, maps.write."
        assert assert_refused(answer, 400, INVALID, NOT_ALLOWED) == [
            {"location": f"body.permissions[{index}]", "message": message} for index in (1, 2)
        ]
    PortalConfig.objects.update(key_permissions=[])
    answer = api("createKey", {"name": "Desk", "permissions": ["maps.read"]}, token=token)
    (finding,) = assert_refused(answer, 400, INVALID)
    assert finding["message"] == "This permission is not offered. There are: none."


def test_each_member_that_the_policy_refuses_is_named(api, store, token):
    answer = api("createKey", {"name": "", "expires": 0, "permissions": ["x"]}, token=token)
    locations = [finding["location"] for finding in assert_refused(answer, 400, INVALID, NOT_ALLOWED)]
    assert locations == ["body.name", "body.expires", "body.permissions[0]"]


def test_grace_periods_that_the_portal_does_not_allow(api, store, token, key_id):
    PortalConfig.objects.update(key_grace_periods=[900, 3600])
    for expiration in (0, 899_999, 3_600_001, LATE):
        answer = api("rerollKey", {"keyId": key_id, "expiration": expiration}, token=token)
        assert assert_refused(answer, 400, INVALID, NOT_ALLOWED) == [
            {"location": "body.expiration", "message": "This must be a number from 900000 to 3600000."}
        ]
    for expiration in (900_000, 1_000_001, 3_600_000):
        assert_answer(api("rerollKey", {"keyId": key_id, "expiration": expiration}, token=token))


def test_an_update_of_nothing(api, store, token, key_id):
    answer = api("updateKey", {"keyId": key_id}, token=token)
    (finding,) = assert_refused(answer, 400, INVALID, "The request changes nothing.")
    assert finding["location"] == "body"


def test_a_name_that_is_taken(api, store, token, key_id):
    for name in ("Laptop", " Laptop "):
        assert_refused(api("createKey", {"name": name}, token=token), 409, "portal/keys/name_taken")
    second = assert_answer(api("createKey", {"name": "Desk"}, token=token))["data"]["keyId"]
    answer = api("updateKey", {"keyId": second, "name": "Laptop"}, token=token)
    assert_refused(answer, 409, "portal/keys/name_taken", "You already have a key of this name. Choose another name.")


def test_as_many_keys_as_the_portal_allows(api, store, token, key_id):
    PortalConfig.objects.update(key_limit=2)
    second = assert_answer(api("createKey", {"name": "Desk"}, token=token))["data"]["keyId"]
    # Disabled ones count.
    assert_answer(api("updateKey", {"keyId": second, "enabled": False}, token=token))
    answer = api("createKey", {"name": "Phone"}, token=token)
    assert_refused(answer, 409, "portal/keys/limit_reached", "You have 2 of 2 keys. Revoke one to create another.")
    assert_answer(api("deleteKey", {"keyId": key_id}, token=token))
    assert_answer(api("createKey", {"name": "Phone"}, token=token))


def test_an_operators_lock_stops_every_change(api, store, token, config, key_id):
    store.lock(Owner(config, "user_123"), key_id)
    for operation, change in (
        ("rerollKey", {"expiration": 0}),
        ("updateKey", {"enabled": True}),
        ("updateKey", {"name": "Desk"}),
        ("deleteKey", {}),
    ):
        answer = api(operation, {"keyId": key_id, **change}, token=token)
        assert_refused(answer, 403, "portal/keys/locked", "The operator locked this key. Ask them to unlock it.")
    (key,) = assert_answer(api("listKeys", token=token))["data"]
    assert (key["enabled"], key["name"]) == (False, "Laptop")


def test_only_an_active_key_is_rotated(api, store, token, key_id):
    def reroll():
        return api("rerollKey", {"keyId": key_id, "expiration": 0}, token=token)

    assert_answer(api("updateKey", {"keyId": key_id, "enabled": False}, token=token))
    assert_refused(reroll(), 409, "portal/keys/not_active")
    now = clock.now()
    with clock.using(lambda: now):
        changes = {"enabled": True, "expires": end_in(hours=1)}
        assert_answer(api("updateKey", {"keyId": key_id, **changes}, token=token))
        assert_answer(reroll())
    with clock.using(lambda: now + timedelta(hours=1)):
        assert_refused(reroll(), 409, "portal/keys/not_active")
        # A later end makes it active again.
        assert_answer(api("updateKey", {"keyId": key_id, "expires": end_in(hours=1)}, token=token))
        assert_answer(reroll())
