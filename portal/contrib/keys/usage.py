"""Counts of the table as the usage of the protocol."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.keystore.base import Outcome, UsageBucket

from .models.usage import KeyUsageQuerySet, moment_of

__all__ = ["to_buckets"]

_HOUR = timedelta(hours=1)


def to_buckets(rows: KeyUsageQuerySet, start: datetime, end: datetime, bucket: timedelta) -> list[UsageBucket]:
    """Return the buckets that begin from ``start`` on and before ``end``; one statement, however many keys there are."""
    hours = bucket // _HOUR
    found: dict[tuple[str, int], dict[Outcome, int]] = {}
    for key_id, first, outcome, count in rows.within(start, end, hours).sums(hours):
        found.setdefault((key_id, first), {})[Outcome(outcome)] = count
    return [UsageBucket(key_id, moment_of(first), counts) for (key_id, first), counts in found.items()]
