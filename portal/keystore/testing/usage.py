"""How often keys were used."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from portal import clock
from portal.keystore.base import KeyStore, Outcome, Owner

from .hooks import Hooks, new_key

__all__ = ["UsageTests"]

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class UsageTests(Hooks):
    """Counts of uses. When a use is counted is the store's to say, so an author's own tests look at the numbers."""

    @pytest.mark.parametrize("bucket", [_HOUR, _DAY])
    def test_without_use_there_are_no_buckets(self, store: KeyStore, owner: Owner, bucket: timedelta) -> None:
        """For an owner with keys, without, and for no keys at all."""
        self.need(store, "usage")
        now = clock.now()
        assert list(store.usage(owner, now - 30 * _DAY, now + _DAY, bucket=bucket)) == []
        key, _ = self.make_key(store, owner, new_key())
        assert list(store.usage(owner, now - 30 * _DAY, now + _DAY, bucket=bucket, key_ids=[key.id])) == []
        assert list(store.usage(owner, now - 30 * _DAY, now + _DAY, bucket=bucket, key_ids=[])) == []

    @pytest.mark.parametrize("bucket", [_HOUR, _DAY])
    def test_buckets_are_of_the_owners_keys_and_of_the_time_asked_for(
        self, store: KeyStore, owner: Owner, strangers: list[Owner], bucket: timedelta
    ) -> None:
        """They begin at whole hours or days of UTC."""
        self.need(store, "usage")
        start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        end = start + 2 * _DAY
        key, secret = self.make_key(store, owner, new_key())
        assert self.accepts(store, secret)
        for found in store.usage(owner, start, end, bucket=bucket):
            assert found.key_id == key.id
            assert start <= found.start < end
            assert (found.start - datetime.min.replace(tzinfo=found.start.tzinfo)) % bucket == timedelta(0)
            assert found.start.utcoffset() == timedelta(0)
            assert set(found.counts) <= set(Outcome)
            assert all(count > 0 for count in found.counts.values())
        for stranger in strangers:
            assert list(store.usage(stranger, start, end, bucket=bucket)) == []
            assert list(store.usage(stranger, start, end, bucket=bucket, key_ids=[key.id])) == []
        assert list(store.usage(owner, start - _DAY, start, bucket=bucket)) == []
