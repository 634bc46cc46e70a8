"""Pages of keys from the database, by cursor: what a page costs does not grow with its number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Lower

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import EXPIRES_SOON, KeyCounts, KeyFilter, KeyPage, KeyQuery
from portal.keystore.listing import LAST, count_keys, page_of, read_cursor, write_cursor

from .models import KeySecret, KeyUsage
from .models.api_key import ApiKeyQuerySet
from .models.usage import hour_of
from .rows import to_keys

__all__ = ["USAGE_SORT_LIMIT", "list_page"]

#: Keys that are sorted by use, at most. Each page needs what all of them did: tried with 1,000 keys that were used in every
#: hour of two weeks, the most that the table holds, it took 0.16 s of computing, and ten times that with 10,000.
USAGE_SORT_LIMIT = 1000

_MAX_ID = 2**63 - 1
_SORTS: dict[str, Any] = {
    "created": F("created_at"),
    "name": Lower("name"),
    "expires": Coalesce("expires_at", Value(LAST, output_field=DateTimeField())),
}


def list_page(rows: ApiKeyQuerySet, query: KeyQuery) -> KeyPage:
    """Return the page of ``query`` among ``rows``, all the keys of one owner.

    :raises InvalidInput: the cursor is none of this query, or there are too many keys to sort them by use.
    """
    if query.by_usage:
        return _page_by_usage(rows.order_by(), query)
    now = clock.now()
    sort = query.sort.removeprefix("-")
    descending = query.sort.startswith("-")
    wanted = _searched(query.search) & (_filtered(query.filter, now) if query.filter else Q())
    sorted_rows = rows.annotate(sort_value=_SORTS[sort])
    backwards, place = False, Q()
    if query.cursor:
        backwards, value, row_id = _read(query.cursor, sort)
        place = _beyond(value, row_id, greater=descending == backwards)
    # A page before the cursor is read from the cursor outwards, and turned around.
    order = "-" if descending != backwards else ""
    found = list(sorted_rows.filter(wanted, place).order_by(f"{order}sort_value", f"{order}pk")[: query.limit + 1])
    more = len(found) > query.limit
    found = found[: query.limit]
    if backwards:
        found.reverse()
    ends = [(_write(row.sort_value), row.pk) for row in (found[0], found[-1])] if found else []  # type: ignore[attr-defined]
    keys = tuple(to_keys(found))
    counts, matching, before = None, None, None
    if query.with_counts and not (query.cursor or wanted or more):
        # These are all the keys there are: most users have few, and their list costs no statement about all of them.
        counts, matching, before = count_keys(keys, now), len(keys), 0
    elif query.with_counts:
        earlier = None
        if query.cursor:
            # Of a page whose keys are gone meanwhile: whatever does not come after the place.
            earlier = ~place if not backwards else Q(pk=None)
            if found:
                earlier = _beyond(found[0].sort_value, found[0].pk, greater=descending)  # type: ignore[attr-defined]
        counts, matching, before = _count(sorted_rows, wanted, earlier, now)
    return KeyPage(
        keys=keys,
        next=write_cursor(False, *ends[1]) if ends and (more or backwards) else "",
        previous=write_cursor(True, *ends[0]) if ends and (more if backwards else bool(query.cursor)) else "",
        counts=counts,
        matching=matching,
        before=before,
    )


def _page_by_usage(rows: ApiKeyQuerySet, query: KeyQuery) -> KeyPage:
    """Sort here: the database would sum the uses up again for each condition of the cursor, and for the counts."""
    if rows[USAGE_SORT_LIMIT:].exists():
        raise InvalidInput("There are too many keys to sort them by use.")
    counts = (
        KeyUsage.objects.filter(hour__gte=hour_of(query.used_since)) if query.used_since else KeyUsage.objects.all()
    )
    found = list(rows.annotate(uses=counts.each()))
    uses = {row.public_id: int(row.uses or 0) for row in found}  # type: ignore[attr-defined]
    return page_of(to_keys(found), query, uses)


def _beyond(value: Any, row_id: int, *, greater: bool) -> Q:
    name = "gt" if greater else "lt"
    # The first condition alone bounds an index; without it, a page would read all pages before it.
    return Q(**{f"sort_value__{name}e": value}) & (Q(**{f"sort_value__{name}": value}) | Q(**{f"pk__{name}": row_id}))


def _searched(text: str) -> Q:
    text = text.strip()
    return Q(name__icontains=text) | Q(start__istartswith=text) if text else Q()


def _filtered(wanted: KeyFilter, now: datetime) -> Q:
    if wanted is KeyFilter.DISABLED:
        return Q(locked=True) | Q(enabled=False)
    on = Q(locked=False, enabled=True)
    if wanted is KeyFilter.EXPIRED:
        return on & Q(expires_at__lte=now)
    if wanted is KeyFilter.EXPIRING:
        return on & Q(expires_at__gt=now, expires_at__lte=now + EXPIRES_SOON)
    active = on & (Q(expires_at=None) | Q(expires_at__gt=now))
    if wanted is KeyFilter.OLD_IN_USE:
        old = KeySecret.objects.filter(key=OuterRef("pk"), ends_at__gt=now, last_used_at__gte=OuterRef("rotated_at"))
        # First what most keys are not, so that the others are looked for no further.
        return Q(rotated_at__isnull=False) & active & Q(Exists(old))
    return active


def _count(rows: ApiKeyQuerySet, wanted: Q, earlier: Q | None, now: datetime) -> tuple[KeyCounts, int, int]:
    """Return all the numbers of a page, in one statement. It counts what does not follow from the rest.

    :param earlier: what comes before the page; None for the first.
    """
    asked = {kind.value: Count("pk", filter=_filtered(kind, now)) for kind in KeyFilter if kind is not KeyFilter.ACTIVE}
    if wanted:
        asked["matching"] = Count("pk", filter=wanted)
    if earlier is not None:
        asked["before"] = Count("pk", filter=wanted & earlier)
    every: dict[str, int] = rows.aggregate(total=Count("pk"), **asked)
    matching, before = every.pop("matching", every["total"]), every.pop("before", 0)
    return KeyCounts(active=every["total"] - every["disabled"] - every["expired"], **every), matching, before


def _write(value: Any) -> str | int:
    return clock.to_milliseconds(value) if isinstance(value, datetime) else value


def _read(cursor: str, sort: str) -> tuple[bool, Any, int]:
    backwards, value, row_id = read_cursor(cursor)
    try:
        if sort != "name":
            value = clock.from_milliseconds(value)
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
