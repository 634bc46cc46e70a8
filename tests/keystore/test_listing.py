"""Lists out of all of an owner's keys, and their cursors; what else a list does, the conformance tests look at."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import EXPIRES_SOON, Key, KeyFilter, KeyQuery
from portal.keystore.listing import LAST, count_keys, page_of, read_cursor, write_cursor

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)

# What a database takes.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.one_of(TEXTS, st.integers(min_value=-(10**18), max_value=10**18))


def key(name: str, **values: Any) -> Key:
    values = {"id": f"key_{name}", "start": "sk_abcd", "name": name, "created_at": NOW, **values}
    return Key(**values)


@pytest.mark.parametrize(("sort", "expected"), [("usage", "bcda"), ("-usage", "adcb")])
def test_by_use_a_key_that_is_left_out_was_not_used(sort: Any, expected: str) -> None:
    keys = [key(name) for name in "abcd"]
    found = page_of(keys, KeyQuery(sort=sort), {"key_a": 7, "key_c": 2, "key_d": 2}).keys
    assert "".join(one.name for one in found) == expected
    found = page_of(keys, KeyQuery(sort=sort)).keys
    assert "".join(one.name for one in found) == ("abcd" if sort == "usage" else "dcba")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(st.booleans(), VALUES, VALUES)
def test_a_cursor_is_read_as_it_was_written(backwards: bool, value: str | int, key_id: str | int) -> None:
    cursor = write_cursor(backwards, value, key_id)
    assert cursor.isascii()
    # It goes into addresses as it is.
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert read_cursor(cursor) == (backwards, value, key_id)


@pytest.mark.parametrize("value", ["a\0b", "\0", "\ud800", "a\udfff"])
def test_what_no_database_takes_is_in_no_cursor(value: str) -> None:
    for cursor in (write_cursor(False, value, "key_1"), write_cursor(True, 1, value)):
        with pytest.raises(InvalidInput):
            read_cursor(cursor)


@given(st.one_of(st.text(), st.binary().map(lambda junk: encoded(junk.decode("latin-1")))))
def test_whatever_else_is_refused(junk: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_cursor(junk)
    assert caught.value.detail == "The cursor is not valid."
    assert [error["location"] for error in caught.value.errors] == ["body.cursor"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "abc",
        [],
        {},
        {"a": 1, "b": 2, "c": 3},
        [False, 1],
        [False, 1, 2, 3],
        [0, 1, "key_1"],
        ["", 1, "key_1"],
        [None, 1, "key_1"],
        [False, None, "key_1"],
        [False, 1.5, "key_1"],
        [False, [1], "key_1"],
        [False, 1, None],
        [False, 1, {}],
        [False, 1, True],
        [False, True, "key_1"],
    ],
)
def test_what_has_the_form_of_one_and_is_none(value: Any) -> None:
    with pytest.raises(InvalidInput):
        read_cursor(encoded(json.dumps(value)))


@pytest.mark.parametrize("text", ["[" * 100_000, "[false,1," + "9" * 5000 + "]", "[false,1,NaN]", '[false,1,"\ud800'])
def test_what_json_chokes_on(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_cursor(base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("="))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sort", ["name", "-name"])
def test_a_cursor_of_another_order_is_refused(sort: Any, backwards: bool) -> None:
    keys = [key("a"), key("b")]
    with pytest.raises(InvalidInput):
        page_of(keys, KeyQuery(sort=sort, cursor=write_cursor(backwards, 1, "key_a")))
    with pytest.raises(InvalidInput):
        page_of(keys, KeyQuery(sort="created", cursor=write_cursor(backwards, "a", "key_a")))


def test_keys_of_one_moment_have_an_order() -> None:
    keys = [key(name) for name in "dacbe"]
    seen, cursor = [], ""
    for _ in range(5):
        page = page_of(keys, KeyQuery(limit=1, cursor=cursor))
        seen += [one.name for one in page.keys]
        cursor = page.next
    assert (seen, cursor) == (["e", "d", "c", "b", "a"], "")


def test_a_key_without_an_end_ends_after_every_other() -> None:
    keys = [key("never"), key("late", expires_at=LAST - timedelta(days=1)), key("soon", expires_at=NOW)]
    assert [one.name for one in page_of(keys, KeyQuery(sort="expires")).keys] == ["soon", "late", "never"]
    assert [one.name for one in page_of(keys, KeyQuery(sort="-expires")).keys] == ["never", "late", "soon"]


def test_spaces_around_a_search_are_nobodys_name() -> None:
    keys = [key("Build server"), key("laptop")]
    assert [one.name for one in page_of(keys, KeyQuery(search="  SERVER ")).keys] == ["Build server"]
    assert len(page_of(keys, KeyQuery(search="   ")).keys) == 2


def test_a_key_expires_soon_until_it_has_expired() -> None:
    ends = [timedelta(0), timedelta(milliseconds=1), EXPIRES_SOON, EXPIRES_SOON + timedelta(milliseconds=1)]
    keys = [key(str(index), expires_at=NOW + end) for index, end in enumerate(ends)]
    with clock.using(lambda: NOW):
        found = page_of(keys, KeyQuery(filter=KeyFilter.EXPIRING, sort="name")).keys
    assert [one.name for one in found] == ["1", "2"]
    counts = count_keys(keys, NOW)
    assert (counts.total, counts.active, counts.expired, counts.expiring) == (4, 3, 1, 2)
