"""Pages of keys from the database, by cursor: what a page costs does not grow with its number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Lower

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import EXPIRES_SOON, KeyCounts, KeyFilter, KeyPage, KeyQuery
from portal.keystore.listing import LAST, read_cursor, write_cursor

from .models import KeySecret
from .models.api_key import ApiKeyQuerySet
from .rows import to_keys

__all__ = ["list_page"]

_MAX_ID = 2**63 - 1
_SORTS: dict[str, Any] = {
    "created": F("created_at"),
    "name": Lower("name"),
    "expires": Coalesce("expires_at", Value(LAST, output_field=DateTimeField())),
}


def list_page(rows: ApiKeyQuerySet, query: KeyQuery) -> KeyPage:
    """Return the page of ``query`` among ``rows``, all the keys of one owner.

    :raises InvalidInput: the cursor is none of this query.
    """
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
    counts, matching, before = None, None, None
    if query.with_counts:
        # Of a page whose keys are gone meanwhile: whatever does not come after the place.
        earlier = ~place if query.cursor and not backwards else Q(pk=None)
        if found:
            earlier = _beyond(found[0].sort_value, found[0].pk, greater=descending)  # type: ignore[attr-defined]
        counts, matching, before = _count(sorted_rows, wanted, earlier, now)
    return KeyPage(
        keys=tuple(to_keys(found)),
        next=write_cursor(False, *ends[1]) if ends and (more or backwards) else "",
        previous=write_cursor(True, *ends[0]) if ends and (more if backwards else bool(query.cursor)) else "",
        counts=counts,
        matching=matching,
        before=before,
    )


def _beyond(value: Any, row_id: int, *, greater: bool) -> Q:
    name = "gt" if greater else "lt"
    # The first condition alone bounds an index; without it, a page would read all pages before it.
    return Q(**{f"sort_value__{name}e": value}) & (Q(**{f"sort_value__{name}": value}) | Q(**{f"pk__{name}": row_id}))


def _searched(text: str) -> Q:
    text = text.strip()
    return Q(name__icontains=text) | Q(start__istartswith=text) if text else Q()


def _filtered(wanted: KeyFilter, now: datetime) -> Q:
    off = Q(locked=True) | Q(enabled=False)
    if wanted is KeyFilter.DISABLED:
        return off
    expired = Q(expires_at__isnull=False, expires_at__lte=now)
    if wanted is KeyFilter.EXPIRED:
        return ~off & expired
    active = Q(locked=False, enabled=True) & (Q(expires_at=None) | Q(expires_at__gt=now))
    if wanted is KeyFilter.EXPIRING:
        return active & Q(expires_at__lte=now + EXPIRES_SOON)
    if wanted is KeyFilter.OLD_IN_USE:
        old = KeySecret.objects.filter(key=OuterRef("pk"), ends_at__gt=now, last_used_at__gte=OuterRef("rotated_at"))
        return active & Q(rotated_at__isnull=False) & Q(Exists(old))
    return active


def _count(rows: ApiKeyQuerySet, wanted: Q, earlier: Q, now: datetime) -> tuple[KeyCounts, int, int]:
    """Return all the numbers of a page, in one statement."""
    every: dict[str, int] = rows.aggregate(
        total=Count("pk"),
        **{kind.value: Count("pk", filter=_filtered(kind, now)) for kind in KeyFilter},
        matching=Count("pk", filter=wanted) if wanted else Count("pk"),
        before=Count("pk", filter=wanted & earlier),
    )
    matching, before = every.pop("matching"), every.pop("before")
    return KeyCounts(**every), matching, before


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
