"""The chart of a usage: its bars with their words, its legend, its table, and what is said of it (ui-spec 2.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from portal.keystore.usage import DAY, HOUR, Tally, Usage, Window

from .charts import Bar, Scale, bars, label_every, scale
from .usage_words import SERIES, bucket_words, counts_of, grouped, requests

__all__ = ["Bucket", "Series", "UsageChart", "chart_of"]

#: More bars than these are drawn by the week.
_MOST_BARS = 60
_WEEK = 7 * DAY


class Series(NamedTuple):
    """What the stacks are made of: a name for the style, and its words."""

    name: str
    label: str


class Bucket(NamedTuple):
    """A bar of the chart and row of its table.

    :param label: its name.
    :param mark: its name below the axis; empty where there is no room for one. ``minor`` where phones have none either.
    :param words: for whoever points at the bar.
    :param numbers: one for each series, with its words.
    """

    label: str
    mark: str
    minor: bool
    words: str
    bar: Bar
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UsageChart:
    """A chart.

    :param title: what it counts, for each hour, day or week.
    :param unit: the heading of the table's first column.
    :param series: from the bottom of the stacks up; what is zero everywhere is left out.
    :param steps: the numbers beside the lines, the largest first.
    :param summary: what a reader has to know who does not see it, a sentence each.
    """

    title: str
    unit: str
    series: tuple[Series, ...]
    scale: Scale
    steps: tuple[str, ...]
    buckets: tuple[Bucket, ...]
    summary: tuple[str, ...]


def chart_of(usage: Usage) -> UsageChart | None:
    """Return the chart of a usage; None without a request."""
    if not usage.total.total:
        return None
    window, tallies = _drawn(usage)
    counts = [counts_of(tally) for tally in tallies]
    series = tuple(
        Series(name, str(label)) for name, label, _outcomes in SERIES if any(count[name] for count in counts)
    )
    stacks = [{one.name: count[one.name] for one in series} for count in counts]
    # A first week that the usage cuts is called by the day that is there.
    starts = [max(start, usage.window.start) for start in window.starts]
    labels = [bucket_words(start, window.bucket) for start in starts]
    lines = scale(max(tally.total for tally in tallies))
    every = label_every(len(stacks))
    title, unit = _titles(window.bucket)
    return UsageChart(
        title,
        unit,
        series,
        lines,
        tuple(map(grouped, lines.steps)),
        tuple(
            Bucket(
                label,
                _mark(starts[place], window.bucket) if place % every == 0 and place + every <= len(stacks) else "",
                place // every % 2 == 1,
                _bar_words(label, series, stack),
                bar,
                tuple((one.label, grouped(stack[one.name])) for one in series),
            )
            for place, (label, stack, bar) in enumerate(zip(labels, stacks, bars(stacks, lines.top), strict=True))
        ),
        tuple(_summary(usage.total, labels, tallies)),
    )


def _drawn(usage: Usage) -> tuple[Window, list[Tally]]:
    """Return the buckets that the chart draws: those of the usage, or weeks where they are too many.

    The first week has the odd days, so that the last one is as whole as today is.
    """
    window, tallies = usage.window, usage.series
    if window.size <= _MOST_BARS:
        return window, tallies
    weeks = -(-window.size // 7)
    padded = [Tally()] * (weeks * 7 - window.size) + tallies
    whole = Window(window.end - weeks * _WEEK, window.end, _WEEK)
    return whole, [Tally.sum(padded[place : place + 7]) for place in range(0, weeks * 7, 7)]


def _titles(bucket: timedelta) -> tuple[str, str]:
    if bucket == HOUR:
        return _("Requests per hour (UTC)"), _("Hour (UTC)")
    if bucket == DAY:
        return _("Requests per day (UTC)"), _("Day (UTC)")
    return _("Requests per week (UTC)"), _("Week (UTC)")


def _mark(start: datetime, bucket: timedelta) -> str:
    # Below the axis there is no room for more than the time, or the day.
    return f"{start:%H:%M}" if bucket == HOUR else bucket_words(start, DAY)


def _bar_words(label: str, series: tuple[Series, ...], stack: dict[str, int]) -> str:
    lines = [
        _("%(name)s: %(number)s") % {"name": one.label, "number": grouped(stack[one.name])}
        for one in series
        if stack[one.name]
    ]
    return "\n".join([label, *lines])


def _summary(total: Tally, labels: list[str], tallies: list[Tally]) -> list[str]:
    numbers = {"requests": requests(total.total), "rejected": grouped(total.rejected)}
    said = [
        _("Stacked bars from %(first)s to %(last)s, in UTC.") % {"first": labels[0], "last": labels[-1]},
        _("%(requests)s, %(rejected)s rejected.") % numbers,
        _peak(_("Busiest: %(when)s, %(requests)s."), labels, [tally.total for tally in tallies]),
    ]
    if total.rejected:
        text = _("Most rejected: %(when)s, %(requests)s.")
        said.append(_peak(text, labels, [tally.rejected for tally in tallies]))
    return said


def _peak(text: str, labels: list[str], numbers: list[int]) -> str:
    place = numbers.index(max(numbers))
    return text % {"when": labels[place], "requests": requests(numbers[place])}
