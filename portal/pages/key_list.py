"""Which part of the keys an address shows, and the links to the others: filters, columns and pages.

All of it stands in the query, so that Back returns to the same place and a link to it can be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, get_args
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.keystore.base import KeyCounts, KeyFilter, KeyPage, KeyQuery, KeySort

__all__ = ["PAGE_SIZE", "Column", "FilterLink", "KeyPlace", "OrderLink", "PageLinks", "limit_in_words"]

PAGE_SIZE = 25

_MAX_SEARCH = 100
_DEFAULT_SORT: KeySort = "-created"

_FILTERS = {
    KeyFilter.ACTIVE: gettext_lazy("Active"),
    KeyFilter.DISABLED: gettext_lazy("Disabled"),
    KeyFilter.EXPIRED: gettext_lazy("Expired"),
    KeyFilter.EXPIRING: gettext_lazy("Expires soon"),
    KeyFilter.OLD_IN_USE: gettext_lazy("Old secret in use"),
}
_NOTHING = {
    KeyFilter.ACTIVE: gettext_lazy("You have no active keys."),
    KeyFilter.DISABLED: gettext_lazy("You have no disabled keys."),
    KeyFilter.EXPIRED: gettext_lazy("You have no expired keys."),
    KeyFilter.EXPIRING: gettext_lazy("None of your keys expires soon."),
    KeyFilter.OLD_IN_USE: gettext_lazy("No old secret is in use."),
}
#: Parts of the active keys, which only a notice leads to.
_PARTS = {KeyFilter.EXPIRING, KeyFilter.OLD_IN_USE}

_CAPTIONS = {
    "created": gettext_lazy("Your API keys, oldest first"),
    "-created": gettext_lazy("Your API keys, newest first"),
    "name": gettext_lazy("Your API keys, sorted by name, A to Z"),
    "-name": gettext_lazy("Your API keys, sorted by name, Z to A"),
    "expires": gettext_lazy("Your API keys, soonest to expire first"),
    "-expires": gettext_lazy("Your API keys, last to expire first"),
    "usage": gettext_lazy("Your API keys, least used first"),
    "-usage": gettext_lazy("Your API keys, most used first"),
}


class FilterLink(NamedTuple):
    """A filter, how many keys it shows, and whether the page shows it."""

    url: str
    label: str
    number: int
    current: bool


class OrderLink(NamedTuple):
    """An order of the list, and whether it has it; for the element ``filters``, without its number."""

    url: str
    label: str
    current: bool
    number: str = ""


class Column(NamedTuple):
    """A column's heading.

    :param url: sorts by it, the other way round where it is sorted by already; empty for one that cannot be sorted by.
    :param sorted: ``ascending``, ``descending``, or empty.
    :param order: what that order is called where the headings are not shown.
    """

    label: str
    url: str = ""
    sorted: str = ""
    order: str = ""

    @property
    def arrow(self) -> str:
        """Which way the column is sorted, or that it can be; empty for one that cannot be sorted by."""
        return {"ascending": "↑", "descending": "↓"}.get(self.sorted, "↕" if self.url else "")


class PageLinks(NamedTuple):
    """Where in the list the page is. ``previous`` and ``next`` are addresses, empty at the ends."""

    number: int
    pages: int
    previous: str
    next: str


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """What an address asks for; what makes no sense in it counts as left out.

    :param path: the address of the list without a query.
    :param used_since: from when on uses count in an order by use; None where there is no such order.
    """

    path: str
    filter: KeyFilter | None = None
    search: str = ""
    sort: KeySort = _DEFAULT_SORT
    cursor: str = ""
    used_since: datetime | None = None

    @classmethod
    def of(cls, path: str, query: QueryDict, used_since: datetime | None = None) -> KeyPlace:
        """Return the place that the query of a request names."""
        status, sort = query.get("status", ""), query.get("sort", "")
        # A character that no database can compare would make the search fail instead of finding nothing.
        search = query.get("q", "").replace("\0", "").strip()[:_MAX_SEARCH]
        place = cls(
            path,
            KeyFilter(status) if status in list(KeyFilter) else None,
            search,
            sort if sort in get_args(KeySort) else _DEFAULT_SORT,  # type: ignore[arg-type]
            query.get("cursor", ""),
            used_since,
        )
        return place.newest if place.query.by_usage and used_since is None else place

    @property
    def newest(self) -> KeyPlace:
        """The same keys in the order that a list has when nothing is said, its first page."""
        return replace(self, sort=_DEFAULT_SORT, cursor="")

    @property
    def query(self) -> KeyQuery:
        """What to ask the store for."""
        return KeyQuery(
            PAGE_SIZE, self.cursor, self.filter, self.search, self.sort, with_counts=True, used_since=self.used_since
        )

    @property
    def filter_label(self) -> str:
        """The name of the filter; empty without one."""
        return str(_FILTERS[self.filter]) if self.filter else ""

    @property
    def nothing(self) -> str:
        """That the filter shows no key; empty without one."""
        return str(_NOTHING[self.filter]) if self.filter else ""

    @property
    def caption(self) -> str:
        """What the table holds, in which order."""
        return str(_CAPTIONS[self.sort])

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The names and values that a search form keeps."""
        return [(name, value) for name, value in self._values() if name in {"status", "sort"}]

    @property
    def url(self) -> str:
        """The address, in its shortest form."""
        return self.path + self.suffix

    @property
    def suffix(self) -> str:
        """The query of the address, with its question mark; empty for the shortest address.

        Links to a key carry it along, so that the way back leads to the same place in the list (ui-spec 2.7).
        """
        values = list(self._values())
        return f"?{urlencode(values)}" if values else ""

    def _values(self) -> Iterator[tuple[str, str]]:
        sort = "" if self.sort == _DEFAULT_SORT else self.sort
        status = self.filter.value if self.filter else ""
        for name, value in (("status", status), ("q", self.search), ("sort", sort), ("cursor", self.cursor)):
            if value:
                yield name, value

    def filters(self, counts: KeyCounts) -> list[FilterLink]:
        """Return the links of the filters; one without keys is left out unless the page shows it."""
        start = replace(self, cursor="")
        links = [FilterLink(replace(start, filter=None).url, _("All"), counts.total, self.filter is None)]
        for wanted, label in _FILTERS.items():
            count, current = getattr(counts, wanted.value), self.filter is wanted
            if current or (count and wanted not in _PARTS):
                links.append(FilterLink(replace(start, filter=wanted).url, str(label), count, current))
        return links

    def orders(self, columns: list[Column]) -> list[OrderLink]:
        """Return the links of the newest first and of the columns that can be sorted by, for pages without headings."""
        newest = OrderLink(self.newest.url, _("Newest"), self.sort == _DEFAULT_SORT)
        return [newest] + [
            OrderLink(one.url, f"{one.order} {one.arrow}" if one.sorted else one.order, bool(one.sorted))
            for one in columns
            if one.url
        ]

    def column(self, label: str, sort: KeySort, order: str, *, down_first: bool = False) -> Column:
        """Return the heading of a column that can be sorted by: up, then down, then back to the newest first.

        :param order: see :class:`Column`.
        :param down_first: whether a reader expects the largest first, so that down comes before up.
        """
        down: KeySort = f"-{sort}"  # type: ignore[assignment]
        first, second = (down, sort) if down_first else (sort, down)
        following = {first: second, second: _DEFAULT_SORT}.get(self.sort, first)
        direction = {sort: "ascending", down: "descending"}.get(self.sort, "")
        return Column(label, replace(self, sort=following, cursor="").url, direction, order)

    def pages(self, page: KeyPage) -> PageLinks:
        """Return where ``page`` is among its neighbors. It was asked for with counts."""
        before, matching = page.before or 0, page.matching or 0
        number = -(-before // PAGE_SIZE) + 1
        # The first page needs no cursor: its address stays good when keys come and go.
        back = replace(self, cursor="" if before <= PAGE_SIZE else page.previous)
        return PageLinks(
            number,
            max(number, -(-matching // PAGE_SIZE)),
            back.url if page.previous else "",
            replace(self, cursor=page.next).url if page.next else "",
        )


def limit_in_words(total: int, limit: int) -> str:
    """Return that an owner of ``total`` keys, who may have ``limit``, cannot have one more."""
    if total > limit:
        words = ngettext(
            "You have %(total)s key; the limit is %(n)s.", "You have %(total)s keys; the limit is %(n)s.", total
        )
    else:
        words = ngettext(
            "You have %(total)s of %(n)s key. Revoke one to create another.",
            "You have %(total)s of %(n)s keys. Revoke one to create another.",
            limit,
        )
    return words % {"total": total, "n": limit}
