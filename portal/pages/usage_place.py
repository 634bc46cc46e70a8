"""Which use an address asks for: the last so many hours or days, of all keys or of one; and the links to the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict

from portal.conf import portal_settings
from portal.keystore.answers import KEY_ID
from portal.keystore.usage import DAY, HOUR, Tally, Window, oldest_day

from .usage_words import range_words, requests

__all__ = ["WEEK", "UsageLink", "UsagePlace", "UsageRange", "compared_with", "kept_ranges", "month"]


@dataclass(frozen=True, slots=True)
class UsageRange:
    """The last so many hours or days.

    :param name: as it stands in addresses.
    """

    name: str
    number: int
    unit: timedelta

    @property
    def window(self) -> Window:
        """The time that it is now."""
        return Window.last(self.number, self.unit)

    @property
    def label(self) -> str:
        """Its name on the page: “30 days”."""
        return range_words("label", self.unit, self.number)

    @property
    def last(self) -> str:
        """The same as a heading: “Last 30 days”."""
        return range_words("last", self.unit, self.number)

    def only_refused(self, total: Tally) -> str:
        """Return that a key is still used though it does not work; empty where that is not so.

        :param total: its use in this range.
        """
        if total.valid or not total.rejected:
            return ""
        return range_words("refused", self.unit, self.number, requests=requests(total.rejected))


MONTH = UsageRange("30d", 30, DAY)

WEEK = UsageRange("7d", 7, DAY)
_RANGES = (UsageRange("24h", 24, HOUR), WEEK, MONTH, UsageRange("90d", 90, DAY))


def kept_ranges() -> list[UsageRange]:
    """Return the ranges that do not reach beyond what is kept; the shortest is always there."""
    kept = portal_settings.USAGE_RETENTION
    return [one for one in _RANGES if one is _RANGES[0] or one.number * one.unit <= kept]


def month() -> UsageRange:
    """Return what the keys' own pages show: 30 days, or the longest range that is kept where less is."""
    return [one for one in kept_ranges() if one.number * one.unit <= MONTH.number * MONTH.unit][-1]


def compared_with(window: Window) -> Window | None:
    """Return the time as long before ``window``, or None where not all of that is kept."""
    before = window.before
    return before if before.start >= oldest_day() else None


class UsageLink(NamedTuple):
    """A range, and whether the page shows it; for the element ``filters``, which shows no number where there is none."""

    url: str
    label: str
    current: bool
    number: str = ""


@dataclass(frozen=True, slots=True)
class UsagePlace:
    """What an address asks for.

    :param path: the address of the page without a query.
    :param key_id: of one key; empty for all. It may be anybody's: then the user has no use of it.
    :param beyond: whether more was asked for than is kept, so that this is the longest range instead.
    """

    path: str
    range: UsageRange
    key_id: str = ""
    beyond: bool = False

    @classmethod
    def of(cls, path: str, query: QueryDict) -> UsagePlace:
        """Return what the query of a request names; what makes no sense counts as left out. The range is 30 days then."""
        kept, asked = kept_ranges(), {one.name: one for one in _RANGES}.get(query.get("range", ""))
        key_id = query.get("key", "")
        shown = (asked or MONTH) if (asked or MONTH) in kept else kept[-1]
        return cls(path, shown, key_id if KEY_ID.match(key_id) else "", beyond=asked is not None and asked != shown)

    def links(self) -> list[UsageLink]:
        """Return the links to the ranges."""
        return [UsageLink(replace(self, range=one).url, one.label, one == self.range) for one in kept_ranges()]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The names and values that the form for another key keeps."""
        return [("range", self.range.name)] if self.range != MONTH else []

    @property
    def query(self) -> str:
        """The query of the address, with its question mark; empty for the shortest address."""
        values = {"range": "" if self.range == MONTH else self.range.name, "key": self.key_id}
        given = urlencode({name: value for name, value in values.items() if value})
        return f"?{given}" if given else ""

    @property
    def url(self) -> str:
        """The address, in its shortest form."""
        return self.path + self.query
