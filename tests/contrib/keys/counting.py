"""Counts of use for tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal import clock
from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.models.usage import Count, hour_of
from portal.contrib.keys.store import DatabaseKeyStore
from portal.keystore.base import Outcome, Owner
from tests.factories import PortalConfigFactory

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def today() -> datetime:
    """Return when the day began, in UTC."""
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


def count(key: ApiKey, moment: datetime, number: int = 1, outcome: Outcome = Outcome.VALID) -> None:
    """Count past the recorder."""
    KeyUsage.objects.add({Count(key.pk, hour_of(moment), outcome.value): number})


def counted(key: ApiKey) -> dict[str, int]:
    """Return how often the key was presented, by outcome."""
    found: dict[str, int] = {}
    for row in KeyUsage.objects.filter(key=key):
        found[row.outcome] = found.get(row.outcome, 0) + row.count
    return found


def rows(key: ApiKey) -> dict[datetime, int]:
    """Return the rows of the table, by when they begin."""
    return {clock.from_milliseconds(row.hour * 3_600_000): row.count for row in KeyUsage.objects.filter(key=key)}


def owner(keyspace_id: str = "ks_1", external_id: str = "user_123") -> Owner:
    return Owner(PortalConfigFactory.build(keyspace_id=keyspace_id), external_id)


def usage(
    start: datetime, end: datetime, bucket: timedelta, *, of: Owner | None = None, key_ids: list[str] | None = None
) -> dict[tuple[str, datetime], dict[str, int]]:
    """Return what the store says, by key id and beginning."""
    found = DatabaseKeyStore().usage(of or owner(), start, end, bucket=bucket, key_ids=key_ids)
    answer = {(one.key_id, one.start): dict(one.counts) for one in found}
    assert len(answer) == len(found)
    return answer
