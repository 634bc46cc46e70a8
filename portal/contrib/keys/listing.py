"""Pages of keys from the database, by cursor: what a page costs does not grow with its number."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import EXPIRES_SOON, KeyCounts, KeyPage, KeyQuery
from portal.keystore.listing import LAST, count_keys, page_of, read_cursor, write_cursor
from portal.rawsql import look_up_all

from . import listing_sql
from .models import KeyUsage
from .models.api_key import ApiKeyQuerySet
from .models.usage import hour_of
from .rows import KeyRow, read_row, to_keys

__all__ = ["USAGE_SORT_LIMIT", "list_page", "page_by_usage"]

#: Keys that are sorted by use, at most. Each page needs what all of them did: tried with 1,000 keys that were used in every
#: hour of two weeks, the most that the table holds, it took 0.16 s of computing, and ten times that with 10,000.
USAGE_SORT_LIMIT = 1000

_MAX_ID = 2**63 - 1
_FIRST = datetime(2, 1, 1, tzinfo=UTC)


def list_page(using: str, keyspace_id: str, external_id: str, query: KeyQuery) -> KeyPage:
    """Return the page of ``query``, which is not by use, among all the keys of one owner.

    :raises InvalidInput: the cursor is none of this query.
    """
    now = clock.now()
    sort, descending = query.sort.removeprefix("-"), query.sort.startswith("-")
    values: dict[str, Any] = {
        "keyspace": keyspace_id,
        "external": external_id,
        "now": now,
        "soon": now + EXPIRES_SOON,
        "last": LAST,
        "limit": query.limit + 1,
    }
    wanted = tuple(filter(None, (_searched(using, query.search, values), listing_sql.filtered(query.filter))))
    backwards, place = False, ""
    if query.cursor:
        backwards, values["place"], values["place_id"] = _read(query.cursor, sort)
        place = listing_sql.beyond(sort, "place", greater=descending == backwards)
    # A page before the cursor is read from the cursor outwards, and turned around.
    conditions = (*wanted, place) if place else wanted
    sql = listing_sql.page(using, sort, conditions, descending=descending != backwards)
    found = look_up_all(using, sql, read_row, values)
    more = len(found) > query.limit
    found = found[: query.limit]
    if backwards:
        found.reverse()
    keys = tuple(to_keys(found, using))
    counts, matching, before = None, None, None
    if query.with_counts and not (query.cursor or wanted or more):
        # These are all the keys there are: most users have few, and their list costs no statement about all of them.
        counts, matching, before = count_keys(keys, now), len(keys), 0
    elif query.with_counts:
        earlier = ""
        if query.cursor and found:
            values["first"], values["first_id"] = _value(found[0], sort), found[0].id
            earlier = listing_sql.beyond(sort, "first", greater=descending)
        elif query.cursor and not backwards:
            # Of a page whose keys are gone meanwhile: whatever does not come after the place.
            earlier = f"NOT ({place})"
        counts, matching, before = _numbers(using, values, wanted, earlier)
    ends = [(_write(_value(row, sort)), row.id) for row in (found[0], found[-1])] if found else []
    return KeyPage(
        keys=keys,
        next=write_cursor(False, *ends[1]) if ends and (more or backwards) else "",
        previous=write_cursor(True, *ends[0]) if ends and (more if backwards else bool(query.cursor)) else "",
        counts=counts,
        matching=matching,
        before=before,
    )


def page_by_usage(rows: ApiKeyQuerySet, query: KeyQuery) -> KeyPage:
    """Return the page of ``query``, which is by use, among ``rows``, all the keys of one owner.

    Sorted here: the database would sum the uses up again for each condition of the cursor, and for the counts.

    :raises InvalidInput: the cursor is none of this query, or there are too many keys to sort them by use.
    """
    rows = rows.order_by()
    if rows[USAGE_SORT_LIMIT:].exists():
        raise InvalidInput("There are too many keys to sort them by use.")
    counts = (
        KeyUsage.objects.filter(hour__gte=hour_of(query.used_since)) if query.used_since else KeyUsage.objects.all()
    )
    found = list(rows.annotate(uses=counts.each()))
    uses = {row.public_id: int(row.uses or 0) for row in found}  # type: ignore[attr-defined]
    return page_of(to_keys(found, rows.db), query, uses)


def _searched(using: str, text: str, values: dict[str, Any]) -> str:
    """Return the condition of a search, and put what it needs into ``values``; empty without one."""
    text = text.strip()
    if not text:
        return ""
    holds, values["part"], values["start"] = listing_sql.like_values(using, text)
    return listing_sql.searched(using, holds)


def _numbers(using: str, values: dict[str, Any], wanted: tuple[str, ...], earlier: str) -> tuple[KeyCounts, int, int]:
    """Return all the numbers of a page, in one statement. It counts what does not follow from the rest.

    :param earlier: the condition of what comes before the page; empty for the first.
    """
    matching = " AND ".join(wanted)
    before = " AND ".join((*wanted, earlier)) if earlier else ""
    sql = listing_sql.numbers(using, *filter(None, (matching, before)))
    ((total, *found),) = look_up_all(using, sql, lambda text, zone: json.loads(text), values)
    counted = dict(zip((kind.value for kind in listing_sql.COUNTED), found, strict=False))
    others = found[len(counted) :]
    counts = KeyCounts(total, active=total - counted["disabled"] - counted["expired"], **counted)
    return counts, others.pop(0) if matching else total, others.pop(0) if before else 0


def _value(row: KeyRow, sort: str) -> Any:
    return {"created": row.created_at, "name": row.sorted_name, "expires": row.expires_at or LAST}[sort]


def _write(value: Any) -> str | int:
    return clock.to_milliseconds(value) if isinstance(value, datetime) else value


def _read(cursor: str, sort: str) -> tuple[bool, Any, int]:
    backwards, value, row_id = read_cursor(cursor)
    try:
        if sort != "name":
            value = clock.from_milliseconds(value)
            # Beyond, a database in another zone than UTC has no date for it.
            if not _FIRST <= value <= LAST:
                raise OverflowError
        elif not isinstance(value, str):
            raise TypeError
        if not isinstance(row_id, int) or not 0 <= row_id <= _MAX_ID:
            raise TypeError
    except (TypeError, OverflowError):
        raise InvalidInput(
            "The cursor is not valid.",
            errors=[{"location": "body.cursor", "message": "This is no cursor of this list. Leave it out."}],
        ) from None
    return backwards, value, row_id
