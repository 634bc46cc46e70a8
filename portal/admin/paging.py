"""Lists of tables with millions of rows: no COUNT, no OFFSET, newest first, and never a statement that reads it all.

A page is found by the id of the last row of the page before. A condition that an index serves alone is one statement.
Any other is tried on a few thousand ids at a time, and after some hundred thousand rows the page says that it stops here
and links to where it goes on: what is rare, or not there at all, must not cost a walk through the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.admin.options import ShowFacets
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest

from .lookups import OfferedLookups

__all__ = [
    "LargeTableAdmin",
    "LargeTableChangeList",
    "Page",
    "every_page",
    "ids_between",
    "looks_like_id",
    "read_page",
]

#: How many ids one statement looks at, and how many such statements a page may take.
STEP = 5000
STEPS = 20

# A row's id is drawn a moment after its time was read, perhaps on another server.
_SKEW = timedelta(minutes=5)
# As close as the search for a date's first id gets; the rest is left to the condition on the time itself.
_CLOSE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and the id below which the next page begins; None when there is nothing older."""

    rows: list[Any]
    older: int | None


def read_page(
    queryset: models.QuerySet[Any], size: int, *, before: int | None = None, first: int = 0, stepwise: bool = False
) -> Page:
    """Return the newest ``size`` rows of ``queryset`` with an id below ``before``.

    :param first: no row with a lower id is wanted.
    :param stepwise: no index serves the conditions. Then the page may hold fewer rows although there are more.
    """
    rows = queryset.order_by("-pk") if before is None else queryset.order_by("-pk").filter(pk__lt=before)
    if not stepwise:
        return _page(list(rows[: size + 1]), size)
    ids = queryset.model._base_manager.using(queryset.db).values_list("pk", flat=True)
    end = (ids.order_by("-pk").first() or 0) + 1
    if before is not None:
        end = min(end, before)
    lowest = max(first, ids.order_by("pk").first() or 0)
    found: list[Any] = []
    for _ in range(STEPS):
        found += rows.filter(pk__lt=end, pk__gte=end - STEP)[: size + 1 - len(found)]
        end -= STEP
        if len(found) > size or end <= lowest:
            return _page(found, size)
    return Page(found, end)


def _page(rows: list[Any], size: int) -> Page:
    """Return the page, of ``rows`` that are one more than a page if there are more."""
    return Page(rows[:size], rows[size - 1].pk) if len(rows) > size else Page(rows, None)


def every_page(queryset: models.QuerySet[Any], size: int, **options: Any) -> Iterator[list[Any]]:
    """Return all rows of ``queryset``, page by page; options as for :func:`read_page`.

    Not through a cursor on the server: that would be a transaction as long as the download, or the whole result in a
    temporary file first.
    """
    page = read_page(queryset, size, **options)
    yield page.rows
    while page.older is not None:
        page = read_page(queryset, size, **{**options, "before": page.older})
        yield page.rows


def ids_between(model: type[models.Model], using: str, start: datetime, end: datetime) -> tuple[int, int]:
    """Return the ids (from the first, below the second) between which the rows created from ``start`` to ``end`` are.

    A few others may be among them, so the time is a condition still. Found by halving, because ids grow with time, and
    the tables have no index on time that would also give their order.
    """
    return _split(model, using, start - _SKEW)[0], _split(model, using, end + _SKEW)[1]


def _split(model: type[models.Model], using: str, moment: datetime) -> tuple[int, int]:
    """Return two close ids: rows below the first are from before ``moment``, rows from the second on are not."""
    times = model._base_manager.using(using).order_by("pk").values_list("pk", "created_at")
    oldest, newest = times.first(), times.last()
    if oldest is None or newest is None:
        return 0, 0
    low, high = oldest[0], newest[0] + 1
    while high - low > _CLOSE:
        middle = (low + high) // 2
        row = times.filter(pk__gte=middle).first()
        if row is None or row[1] >= moment:
            high = middle
        else:
            low = row[0] + 1
    return low, high


def looks_like_id(term: str, prefix: str) -> bool:
    """Say whether what was searched for has the form of a public id with ``prefix``, such as ``ps_``."""
    return re.fullmatch(re.escape(prefix) + "[0-9A-Za-z]{22}", term) is not None


class LargeTableChangeList(ChangeList):
    """A list that shows a page and where older rows begin. The stock parameter ``p`` holds an id, not a page number."""

    #: The addresses of the next page and of the first, None where there is no such page.
    older: str | None
    newest: str | None
    #: There may be more rows, but looking for them stopped here.
    cut_short: bool

    def get_results(self, request: HttpRequest) -> None:
        """Read the page that the address names."""
        is_first = self.page_num <= 1
        options = self.reading() if is_first else {**self.reading(), "before": self.page_num}
        page = read_page(self.queryset, self.list_per_page, **options)
        self.result_list = page.rows
        # As many as there are on the page, so that no template offers to select or to show "all" of them.
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = bool(page.rows)
        self.paginator = Paginator(page.rows, self.list_per_page)
        self.older = self.get_query_string({PAGE_VAR: page.older}) if page.older else None
        self.newest = None if is_first else self.get_query_string()
        self.cut_short = page.older is not None and len(page.rows) < self.list_per_page

    def reading(self) -> dict[str, Any]:
        """Return the options with which :func:`read_page` reads this list's rows."""
        first, end = next(filter(None, (getattr(spec, "ids", None) for spec in self.filter_specs)), (0, None))
        return {"before": end, "first": first, "stepwise": self.is_stepwise()}

    def is_stepwise(self) -> bool:
        """Say whether no index serves this list's conditions.

        An index serves the search, whatever else is asked of the few rows that it finds, and a filter that is alone.
        Dates do not count: they are ids.
        """
        options: Any = self.model_admin
        names = set(self.get_filters_params()) - options.date_parameters
        return not self.query and bool(names) and not (len(names) == 1 and names <= options.indexed_parameters)


class LargeTableAdmin(OfferedLookups):
    """A read-only table of any size."""

    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    #: The parameters of filters that an index serves in the order of the id.
    indexed_parameters: frozenset[str] = frozenset()
    #: The parameters of the filter on dates.
    date_parameters: frozenset[str] = frozenset({"from", "to"})
    #: Filters of :mod:`.filters`, each with its ``parameters``, or Django's.
    list_filter: ClassVar[Any] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that does not count."""
        return LargeTableChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows by hand: ``portal_purge`` does, when they are old."""
        return False
