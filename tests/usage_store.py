"""A key store in memory that knows how often its keys were used, as often as a test says."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import connection

from portal.errors import InvalidInput
from portal.keystore import get_key_store
from portal.keystore.base import KeyPage, KeyQuery, Outcome, Owner, UsageBucket
from portal.keystore.listing import page_of
from portal.keystore.memory import MemoryKeyStore
from portal.models import PortalConfig
from tests.pages.shelf import empty_memory_store

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

#: About how many seconds the counts of :class:`SlowUsageStore` take.
SLOW = 5


class UsageStore(MemoryKeyStore):
    """Counts by the hour what :func:`use` notes, and keeps counts of keys that are gone."""

    supports_usage = True

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[tuple[tuple[str, str], str, datetime], dict[Outcome, int]] = {}
        self.asked = 0
        self.asked_for: Sequence[str] | None = None

    def note(self, owner: Owner, key_id: str, moment: datetime, counts: Mapping[Outcome, int]) -> None:
        """Add uses of a key at a moment."""
        hour = moment - (moment - _EPOCH) % timedelta(hours=1)
        kept = self.counts.setdefault(((owner.keyspace_id, owner.external_id), key_id, hour), {})
        for outcome, count in counts.items():
            kept[outcome] = kept.get(outcome, 0) + count

    def usage(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, key_ids: Sequence[str] | None = None
    ) -> list[UsageBucket]:
        self.asked, self.asked_for = self.asked + 1, key_ids
        added: dict[tuple[str, datetime], dict[Outcome, int]] = {}
        for (whose, key_id, hour), counts in self.counts.items():
            if whose != (owner.keyspace_id, owner.external_id) or not start <= hour < end:
                continue
            if key_ids is not None and key_id not in key_ids:
                continue
            into = added.setdefault((key_id, hour - (hour - _EPOCH) % bucket), {})
            for outcome, count in counts.items():
                into[outcome] = into.get(outcome, 0) + count
        return [UsageBucket(key_id, begins, counts) for (key_id, begins), counts in added.items()]


class FineUsageStore(UsageStore):
    """It answers more than it is asked: by the hour, whatever the bucket, and for all time and all keys."""

    def usage(self, owner: Owner, *args: Any, **options: Any) -> list[UsageBucket]:
        return [
            UsageBucket(key_id, hour, counts)
            for (whose, key_id, hour), counts in self.counts.items()
            if whose == (owner.keyspace_id, owner.external_id)
        ]


class SortingUsageStore(UsageStore):
    """It sorts up to three keys by use."""

    usage_sort_limit = 3

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        keys, uses = self._of(owner).values(), Counter[str]()
        if query.by_usage and len(keys) > self.usage_sort_limit:
            raise InvalidInput
        for (whose, key_id, hour), counts in self.counts.items():
            if whose == (owner.keyspace_id, owner.external_id) and (query.used_since or _EPOCH) <= hour:
                uses[key_id] += sum(counts.values())
        return page_of(keys, query, uses)


class BrokenUsageStore(UsageStore):
    """It shows keys, and fails when it is asked how often they were used."""

    def usage(self, *args: Any, **options: Any) -> NoReturn:
        raise RuntimeError("broken")


class BrokenSortingStore(BrokenUsageStore):
    """What it shall sort by fails, too."""

    usage_sort_limit = 1000

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        if query.by_usage:
            raise RuntimeError("broken")
        return super().list_keys(owner, query)


class RemoteUsageStore(UsageStore):
    """The same as :class:`UsageStore`, elsewhere; and its counts take long to come once it is told to hang."""

    time_limit = 30.0
    hangs: Any = None

    def usage(self, *args: Any, **options: Any) -> list[UsageBucket]:
        if self.hangs is not None:
            self.hangs.wait(SLOW)
        return super().usage(*args, **options)


class SlowUsageStore(UsageStore):
    """Its counts are in the project's database, which takes its time."""

    def usage(self, *args: Any, **options: Any) -> list[UsageBucket]:
        sql = f"SELECT pg_sleep({SLOW})"
        if connection.vendor == "sqlite":
            sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2e7) SELECT count(*) FROM n"
        with connection.cursor() as cursor:
            cursor.execute(sql)
        return super().usage(*args, **options)


class IdleUsageStore(UsageStore):
    """It takes its time without the project's database."""

    def usage(self, *args: Any, **options: Any) -> list[UsageBucket]:
        connection.close()
        time.sleep(0.5)
        return super().usage(*args, **options)


def use_usage_store(settings: Any, store: type[UsageStore] = UsageStore) -> UsageStore:
    """Serve keys from a new store of this class, and return it."""
    # Whichever was served last: the same setting would keep the same store, and its keys with it.
    empty_memory_store(settings)
    get_key_store()
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": f"{store.__module__}.{store.__qualname__}"}}
    made = get_key_store().store
    assert isinstance(made, UsageStore)
    return made


def use(
    config: PortalConfig, key_id: str, moment: datetime, *, external_id: str = "user_123", valid: int = 1, **counts: int
) -> None:
    """Note uses of a key at a moment, by outcome: ``use(config, key_id, moment, valid=3, rate_limited=1)``."""
    store = get_key_store().store
    assert isinstance(store, UsageStore)
    by_outcome = {Outcome[name.upper()]: count for name, count in {"valid": valid, **counts}.items()}
    store.note(Owner(config, external_id), key_id, moment, by_outcome)
