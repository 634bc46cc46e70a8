"""Lists of keys for stores that can read all of an owner's keys: filters, search, order, counts and pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from portal import clock
from portal.errors import InvalidInput
from portal.texts import is_storable

from .base import EXPIRES_SOON, Key, KeyCounts, KeyFilter, KeyPage, KeyQuery, KeyState

__all__ = ["LAST", "Cursor", "count_keys", "filters_of", "page_of", "read_cursor", "write_cursor"]

#: Stands for the end of a key that has none, where keys are sorted by their ends.
LAST = datetime(9999, 12, 31, tzinfo=UTC)

#: Whether the page lies before the place, then the place: the value that the query sorts by, and an id.
Cursor = tuple[bool, Any, Any]


def write_cursor(backwards: bool, value: Any, key_id: Any) -> str:
    """Return a cursor: the page after, or ``backwards`` the page before, the key that has this value and id."""
    return base64.urlsafe_b64encode(json.dumps([backwards, value, key_id]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Return what :func:`write_cursor` wrote.

    :raises InvalidInput: it did not write this.
    """
    try:
        backwards, value, key_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _no_cursor() from None
    # By type: to isinstance, true is a number, and PostgreSQL compares none with it.
    if type(backwards) is not bool or not {type(value), type(key_id)} <= {str, int}:
        raise _no_cursor()
    # What no database takes: a store would fail on it, for a text of the caller's.
    if not all(is_storable(str(part)) for part in (value, key_id)):
        raise _no_cursor()
    return backwards, value, key_id


def _no_cursor() -> InvalidInput:
    text = "This is no cursor of this list. Leave it out to begin at the first page."
    return InvalidInput("The cursor is not valid.", errors=[{"location": "body.cursor", "message": text}])


def filters_of(key: Key, now: datetime) -> list[KeyFilter]:
    """Return the filters that show ``key``."""
    state = key.state(now)
    if state in {KeyState.DISABLED, KeyState.LOCKED}:
        return [KeyFilter.DISABLED]
    if state is KeyState.EXPIRED:
        return [KeyFilter.EXPIRED]
    found = [KeyFilter.ACTIVE]
    if key.expires_at is not None and key.expires_at <= now + EXPIRES_SOON:
        found.append(KeyFilter.EXPIRING)
    if key.old_secret is not None and key.old_secret.in_use:
        found.append(KeyFilter.OLD_IN_USE)
    return found


def count_keys(keys: Iterable[Key], now: datetime) -> KeyCounts:
    """Return how many of ``keys`` each filter shows."""
    every = list(keys)
    found = Counter(wanted for key in every for wanted in filters_of(key, now))
    return KeyCounts(len(every), **{wanted.value: found[wanted] for wanted in KeyFilter})


def _value(key: Key, sort: str, uses: Mapping[str, int]) -> str | int:
    if sort == "name":
        return key.name.lower()
    if sort == "usage":
        return uses.get(key.id, 0)
    return clock.to_milliseconds(key.created_at if sort == "created" else key.expires_at or LAST)


def page_of(keys: Iterable[Key], query: KeyQuery, uses: Mapping[str, int] | None = None) -> KeyPage:
    """Return the page of ``query`` from all the ``keys`` of one owner.

    :param uses: how often each key was used since ``query.used_since``, by its id, for a query that is sorted by use. Keys
        that are left out were not used.
    :raises InvalidInput: the cursor is none of this query.
    """
    now, every = clock.now(), list(keys)
    text, sort = query.search.strip().lower(), query.sort.removeprefix("-")
    found = [
        (_value(key, sort, uses or {}), key.id, key)
        for key in every
        if (query.filter is None or query.filter in filters_of(key, now))
        and (text in key.name.lower() or key.start.lower().startswith(text))
    ]
    found.sort(key=lambda row: row[:2], reverse=query.sort.startswith("-"))
    first, last = _bounds(found, query)
    rows = found[first:last]
    return KeyPage(
        keys=tuple(key for *_, key in rows),
        next=write_cursor(False, *rows[-1][:2]) if rows and last < len(found) else "",
        previous=write_cursor(True, *rows[0][:2]) if rows and first > 0 else "",
        counts=count_keys(every, now) if query.with_counts else None,
        matching=len(found) if query.with_counts else None,
        before=first if query.with_counts else None,
    )


def _bounds(found: list[tuple[Any, str, Key]], query: KeyQuery) -> tuple[int, int]:
    """Return where the page begins and ends; by value, so that a key that is gone meanwhile loses nobody's place."""
    if not query.cursor:
        return 0, query.limit
    backwards, *place = read_cursor(query.cursor)
    descending = query.sort.startswith("-")
    try:
        if backwards:
            end = sum((list(row[:2]) > place) if descending else (list(row[:2]) < place) for row in found)
            return max(0, end - query.limit), end
        start = sum((list(row[:2]) >= place) if descending else (list(row[:2]) <= place) for row in found)
    except TypeError:
        raise _no_cursor() from None
    return start, start + query.limit
