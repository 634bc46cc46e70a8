"""How often keys were used in a window of time, bucket by bucket: what the API answers and the pages draw.

Hours and days are those of UTC, whatever the reader's zone or the project's ``TIME_ZONE`` is: a day has 24 hours here, also
when clocks change somewhere. Buckets without use count zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from portal import clock
from portal.conf import portal_settings

from .base import Outcome, UsageBucket

__all__ = ["DAY", "HOUR", "MOST_KEYS", "Tally", "Usage", "Window", "oldest_day"]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

#: What is told key by key is told of at most so many, the most used: a user can have used and revoked any number of keys.
MOST_KEYS = 100

# Windows up to this long are told by the hour, unless they began longer ago than a day more: stores know older use by the
# day, and told by the hour all of it would be in the day's first.
_HOURLY = 7 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tally(NamedTuple):
    """How many requests ended in each way. Requests with a key that nobody has belong to nobody and are not counted."""

    valid: int = 0
    rate_limited: int = 0
    insufficient_permissions: int = 0
    forbidden: int = 0
    disabled: int = 0
    expired: int = 0
    usage_exceeded: int = 0

    @classmethod
    def of(cls, counts: Mapping[Outcome, int]) -> Tally:
        """Return what a store counted."""
        return cls._make(map(counts.get, _OUTCOMES, cls()))

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """Return all of them together."""
        return cls(*map(sum, zip(cls(), *tallies, strict=True)))

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self)

    @property
    def rejected(self) -> int:
        """Those that did not end in ``valid``."""
        return self.total - self.valid


_OUTCOMES = tuple(Outcome[name.upper()] for name in Tally._fields)


@dataclass(frozen=True, slots=True)
class Window:
    """A time from ``start`` until before ``end``, in whole buckets of an hour or a day of UTC."""

    start: datetime
    end: datetime
    bucket: timedelta

    @classmethod
    def around(cls, start: datetime, end: datetime) -> Window:
        """Return the whole buckets that hold the time from ``start`` until before ``end``.

        They are hours for at most 7 days that began in the last 8, else days.
        """
        recent = start >= clock.now() - _HOURLY - DAY
        bucket = HOUR if recent and end - start <= _HOURLY else DAY
        return cls(_floor(start, bucket), _floor(end - timedelta.resolution, bucket) + bucket, bucket)

    @classmethod
    def last(cls, number: int, bucket: timedelta) -> Window:
        """Return the last ``number`` buckets, the one of this moment included."""
        end = _floor(clock.now(), bucket) + bucket
        return cls(end - number * bucket, end, bucket)

    @property
    def before(self) -> Window:
        """The window of the same length that ends where this one begins."""
        return Window(self.start - (self.end - self.start), self.start, self.bucket)

    @property
    def starts(self) -> list[datetime]:
        """When each bucket begins."""
        return [self.start + index * self.bucket for index in range(self.size)]

    @property
    def size(self) -> int:
        """How many buckets there are."""
        return (self.end - self.start) // self.bucket


# No slots: what is computed of it is kept.
@dataclass(frozen=True)
class Usage:
    """The use of an owner's keys in a window.

    :param keys: for each key that was used, by its id, the tallies of the buckets in which it was, by their places in the
        window. Keys that were revoked since are among them. In a summary all that are not told apart are one, whose id is
        empty.
    :param others: how many those are.
    :param names: in a summary, of the keys that are told apart, without those that were revoked; None where the store does
        not say, or its reader may not know.
    """

    window: Window
    keys: Mapping[str, Mapping[int, Tally]]
    others: int = 0
    names: Mapping[str, str] | None = None

    @classmethod
    def of(
        cls, window: Window, buckets: Iterable[UsageBucket], key_ids: Iterable[str] | None = None, *, others: int = 0
    ) -> Usage:
        """Return what a store answered; what is of another time or, where ``key_ids`` are given, of other keys is left out.

        A store may answer in smaller buckets, or several times for the same one: they are added up.
        """
        keys: dict[str, dict[int, Tally]] = {}
        asked = None if key_ids is None else set(key_ids)
        for bucket in buckets:
            if asked is not None and bucket.key_id not in asked:
                continue
            tally = Tally.of(bucket.counts)
            if any(tally) and window.start <= bucket.start < window.end:
                found = keys.setdefault(bucket.key_id, {})
                place = (bucket.start - window.start) // window.bucket
                found[place] = Tally.sum((found[place], tally)) if place in found else tally
        return cls(window, keys, others)

    def within(self, window: Window) -> Usage:
        """Return the part of it in a smaller window with the same buckets."""
        first = (window.start - self.window.start) // self.window.bucket
        places = range(first, first + window.size)
        parts = {
            key_id: {place - first: tally for place, tally in found.items() if place in places}
            for key_id, found in self.keys.items()
        }
        return Usage(window, {key_id: part for key_id, part in parts.items() if part}, self.others, self.names)

    def summary(self, most: int, since: datetime) -> Usage:
        """Return it with all keys together but the ``most`` used from ``since`` on, the beginning of a bucket."""
        ranked = self.within(Window(since, self.window.end, self.window.bucket)).by_key
        told = {key_id for key_id, _total in ranked[:most]}
        rest = self.only(*(key_id for key_id in self.keys if key_id not in told)).series
        together = {place: tally for place, tally in enumerate(rest) if any(tally)}
        keys = {**self.only(*told).keys, **({"": together} if together else {})}
        return Usage(self.window, keys, len(ranked) - len(told))

    def only(self, *key_ids: str) -> Usage:
        """Return the part of these keys."""
        return Usage(self.window, {key_id: self.keys[key_id] for key_id in key_ids if key_id in self.keys})

    @cached_property
    def series(self) -> list[Tally]:
        """One tally a bucket, of all keys together."""
        buckets: list[list[Tally]] = [[] for _place in range(self.window.size)]
        for found in self.keys.values():
            for place, tally in found.items():
                buckets[place].append(tally)
        return [Tally.sum(tallies) for tallies in buckets]

    @cached_property
    def by_key(self) -> list[tuple[str, Tally]]:
        """The tally of each key that was used and is told apart, by its id, the most used first."""
        totals = [(key_id, Tally.sum(found.values())) for key_id, found in self.keys.items() if key_id]
        return sorted(totals, key=lambda item: (-item[1].total, item[0]))

    @cached_property
    def total(self) -> Tally:
        """The whole use."""
        return Tally.sum(self.series)


def oldest_day() -> datetime:
    """Return the first moment whose use is still kept: USAGE_RETENTION ago, at the beginning of that day."""
    return _floor(clock.now() - portal_settings.USAGE_RETENTION, DAY)


def _floor(moment: datetime, bucket: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % bucket
