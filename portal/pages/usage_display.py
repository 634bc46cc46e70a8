"""The figures of a usage beside its chart: the strip, the table by key, and the small charts of the list (ui-spec 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from django.utils.translation import gettext as _

from portal.keystore.usage import HOUR, Tally, Usage

from .charts import SPARK_HEIGHT, spark
from .usage_place import UsageRange
from .usage_words import bucket_words, change_words, grouped, mostly, requests, share

__all__ = ["MOST_ROWS", "Figure", "KeyShare", "Spark", "figures", "key_shares", "spark_of"]

#: The table by key has at most so many rows; all other keys are one row more.
MOST_ROWS = 25


class Figure(NamedTuple):
    """A figure of the strip: what it is, the figure, and a few words about it."""

    label: str
    value: str
    note: str


def figures(usage: Usage, shown: UsageRange, before: Usage | None) -> list[Figure]:
    """Return the strip.

    :param before: the use as long before, or None where that is not kept.
    """
    total, series = usage.total, usage.series
    change = ""
    if before is not None:
        # Without the hour or day that still runs, which would make every comparison look like a loss.
        # And without the one like it, for the same hours and days of the week.
        now, then = (sum(tally.total for tally in part.series[:-1]) for part in (usage, before))
        if not then:
            # “None before” is about all of it.
            now, then = total.total, before.total.total
        change = change_words(shown.unit, shown.number, now, then)
    busiest = max(range(len(series)), key=lambda place: series[place].total)
    when = bucket_words(usage.window.starts[busiest], shown.unit)
    return [
        Figure(_("Requests"), grouped(total.total), change),
        Figure(_("Valid"), share(total.valid, total.total) if total.total else "–", requests(total.valid)),
        Figure(_("Rejected"), grouped(total.rejected), mostly(total)),
        Figure(
            _("Busiest hour") if shown.unit == HOUR else _("Busiest day"),
            when if total.total else "–",
            requests(series[busiest].total),
        ),
    ]


@dataclass(frozen=True, slots=True)
class KeyShare:
    """A key's part in the whole.

    :param key_id: empty for all the keys that have no row of their own; ``others`` is their number.
    :param name: empty where the owner has no such key any more, or the page may not know its name.
    :param percent: of all requests, as a length; ``share`` is the same in words.
    """

    key_id: str
    name: str
    others: int
    valid: str
    rejected: str
    percent: int
    share: str


def key_shares(usage: Usage, names: Mapping[str, str]) -> list[KeyShare]:
    """Return a row for each key that was used, the most used first.

    :param names: of the owner's keys, by id.
    """
    found, whole = usage.by_key, usage.total.total
    if not whole:
        # There are no parts of nothing, whatever a store says of other keys.
        return []

    def row(key_id: str, tally: Tally, others: int = 0) -> KeyShare:
        percent = round(100 * tally.total / whole)
        # Some is more than none.
        words = _("%(number)s%%") % {"number": percent} if percent or not tally.total else _("<1%")
        numbers = grouped(tally.valid), grouped(tally.rejected)
        return KeyShare(key_id, names.get(key_id, ""), others, *numbers, percent, words)

    rows = [row(key_id, tally) for key_id, tally in found[:MOST_ROWS]]
    rest = found[MOST_ROWS:]
    if others := len(rest) + usage.others:
        rows.append(row("", Tally.sum([usage.only("").total, *(tally for _key_id, tally in rest)]), others))
    return rows


class Spark(TypedDict):
    """The small chart of a key in the list: its number, and the paths of valid and rejected requests.

    :param view: the SVG's ``viewBox``: half a unit to the left, because bars are strokes around their places.
    """

    total: str
    view: str
    valid: str
    rejected: str


def spark_of(usage: Usage, key_id: str) -> Spark | None:
    """Return the small chart of a key; None without a request."""
    found = usage.keys.get(key_id)
    if not found:
        return None
    bars = {place: (tally.valid, tally.rejected) for place, tally in sorted(found.items())}
    valid, rejected = spark(bars)
    total = grouped(sum(map(sum, bars.values())))
    return {
        # Alone, the number would say that the key works.
        "total": total if valid else _("%(number)s refused") % {"number": total},
        "view": f"-.5 0 {usage.window.size} {SPARK_HEIGHT}",
        "valid": valid,
        "rejected": rejected,
    }
