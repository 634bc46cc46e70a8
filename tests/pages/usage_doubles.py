"""Key stores that count, for tests of what goes wrong on the pages that say so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any

from portal.keystore.base import KeyPage, KeyQuery, Owner, UsageSummary
from tests.usage_store import SLOW, SortingUsageStore, UsageStore


class TiringSortingStore(SortingUsageStore):
    """It sorts by use as often as a test says, and fails from then on."""

    sorts = 1000

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        if query.by_usage:
            if not self.sorts:
                raise RuntimeError("tired")
            self.sorts -= 1
        return super().list_keys(owner, query)


class HangingOrderStore(SortingUsageStore):
    """It is elsewhere, and its order by use takes until a test lets it go; its counts are there."""

    time_limit = 30.0

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        if query.by_usage:
            self.go.wait(SLOW)
        return super().list_keys(owner, query)


class SummaryUsageStore(UsageStore):
    """It sums up itself, for two keys: the most used has an id, and the other is the others."""

    supports_usage_summary = True

    def usage_summary(self, owner: Owner, start: datetime, end: datetime, **options: Any) -> UsageSummary:
        found = self.usage(owner, start, end, bucket=options["bucket"])
        totals = Counter[str]()
        for one in found:
            totals[one.key_id] += sum(one.counts.values())
        told = {key_id for key_id, _total in totals.most_common(1)}
        named = [replace(one, key_id=one.key_id if one.key_id in told else "") for one in found]
        return UsageSummary(named, others=1)
