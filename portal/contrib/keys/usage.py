"""Counts of the table as the usage of the protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from portal.keystore.base import Outcome, UsageBucket, UsageSummary

from .models.api_key import ApiKeyQuerySet
from .models.usage import KeyUsage, KeyUsageQuerySet, moment_of

__all__ = ["to_buckets", "to_summary"]

_HOUR = timedelta(hours=1)
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def to_buckets(rows: KeyUsageQuerySet, start: datetime, end: datetime, bucket: timedelta) -> list[UsageBucket]:
    """Return the buckets that begin from ``start`` on and before ``end``; one statement, however many keys there are."""
    hours = bucket // _HOUR
    return _buckets(rows.within(start, end, hours).sums(hours))


def to_summary(
    keys: ApiKeyQuerySet,
    rows: KeyUsageQuerySet,
    start: datetime,
    end: datetime,
    bucket: timedelta,
    *,
    most: int,
    since: datetime,
) -> UsageSummary:
    """Return the buckets of the keys used most from ``since`` on, and those of all others together; three statements.

    Counts may be written between any two of them. What is told is a whole all the same: others are counted where they have
    buckets, and only there.

    :param keys: all of one owner's, revoked ones too.
    :param rows: the counts of these keys.
    """
    hours, counts = bucket // _HOUR, KeyUsage.objects.using(keys.db)
    used = keys.order_by().annotate(uses=counts.within(since, end, hours).each())
    ranked = sorted(
        (-int(uses), key_id, pk) for uses, key_id, pk in used.values_list("uses", "public_id", "pk") if uses
    )
    told, others = [pk for _uses, _key_id, pk in ranked[:most]], len(ranked[most:])
    apart = list(counts.within(start, end, hours).filter(key__in=told).sums(hours))
    rest: Counter[tuple[int, str]] = Counter()
    if others or start < since:
        # Where there were no others, a key that is first used meanwhile must not become one without a number.
        for hour, outcome, count in rows.within(start, end if others else since, hours).exclude(key__in=told).by_hour():
            rest[hour - hour % hours, outcome] += count
    together = [("", first, outcome, count) for (first, outcome), count in rest.items()]
    # Keys may be deleted meanwhile.
    ranks = any(moment_of(first) >= since for first, _outcome in rest)
    return UsageSummary(_buckets([*apart, *together]), others=others if ranks else 0)


def _buckets(sums: Iterable[tuple[str, int, str, int]]) -> list[UsageBucket]:
    found: dict[tuple[str, int], dict[Outcome, int]] = {}
    for key_id, first, outcome, count in sums:
        found.setdefault((key_id, first), {})[_OUTCOMES[outcome]] = count
    moments = {first: moment_of(first) for _key_id, first in found}
    return [UsageBucket(key_id, moments[first], counts) for (key_id, first), counts in found.items()]
