"""Keeping the table of counts small: hours that are long ago become days, and days beyond USAGE_RETENTION go.

Everything is done in batches that are each a transaction: it may be stopped at any time and goes on where it was, two may
run at once, and what is counted meanwhile is not held up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import models, router, transaction

from portal import clock
from portal.keystore.usage import oldest_day
from portal.management.batches import until_none

from .models import KeyUsage
from .models.usage import HOURS_A_DAY, Count, KeyUsageQuerySet, hour_of

__all__ = ["HOURS_KEPT", "RollUp", "delete_usage_of", "due", "roll_up"]

#: Younger counts stay by hour: two weeks, this one and the one that it is compared with.
HOURS_KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class RollUp:
    """What was done, or would be: counts of hours that became days, and counts that were deleted."""

    folded: int
    deleted: int


def due() -> RollUp:
    """Return what there is to do."""
    oldest, hours_from = _limits()
    counts = _counts()
    hours = counts.filter(hour__gte=oldest, hour__lt=hours_from).alias(of_day=models.F("hour") % HOURS_A_DAY)
    return RollUp(hours.exclude(of_day=0).count(), counts.filter(hour__lt=oldest).count())


def roll_up(batch_size: int) -> RollUp:
    """Do all that there is to do, ``batch_size`` counts in each transaction."""
    oldest, hours_from = _limits()
    deleted = _delete(_counts().filter(hour__lt=oldest), batch_size)
    return RollUp(sum(_fold(day, batch_size) for day in _days(hours_from)), deleted)


def delete_usage_of(keys: Collection[int], batch_size: int) -> None:
    """Delete the counts of these keys, by primary key, before the keys are: a key may have many."""
    _delete(_counts().filter(key__in=keys), batch_size)


def _counts() -> KeyUsageQuerySet:
    return KeyUsage.objects.using(router.db_for_write(KeyUsage))


def _limits() -> tuple[int, int]:
    """Return the first hour that is kept, and the first that stays an hour; both begin a day."""
    today = _day_of(hour_of(clock.now()))
    return hour_of(oldest_day()), today - HOURS_KEPT.days * HOURS_A_DAY


def _day_of(hour: int) -> int:
    return hour - hour % HOURS_A_DAY


def _days(end: int) -> range:
    """Return the first hours of all days from the oldest count until before ``end``."""
    oldest = _counts().order_by("hour").values_list("hour", flat=True).first()
    return range(end if oldest is None else _day_of(oldest), end, HOURS_A_DAY)


def _fold(day: int, batch_size: int) -> int:
    """Add the later hours of a day to its first one, and return how many counts that were."""
    hours = _counts().filter(hour__gt=day, hour__lt=day + HOURS_A_DAY)
    return until_none(partial(_move, hours, day, batch_size))


def _move(hours: KeyUsageQuerySet, day: int, batch_size: int) -> int:
    with transaction.atomic(using=hours.db):
        taken = hours.take(batch_size)
        sums: Counter[Count] = Counter()
        for count, number in taken:
            sums[count._replace(hour=day)] += number
        if sums:
            hours.add(sums)
    return len(taken)


def _delete(counts: KeyUsageQuerySet, batch_size: int) -> int:
    return until_none(partial(_drop, counts, batch_size))


def _drop(counts: KeyUsageQuerySet, batch_size: int) -> int:
    with transaction.atomic(using=counts.db):
        return len(counts.take(batch_size))
