"""How often keys were used."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from collections import Counter
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

    def test_hours_add_up_to_days(self, store: KeyStore, owner: Owner) -> None:
        """By key and outcome; refused uses count too, where the store counts them."""
        self.need(store, "usage")
        start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        for name in ("Server", "Laptop"):
            _, secret = self.make_key(store, owner, new_key(name))
            for _ in range(3):
                assert self.accepts(store, secret)
        sums = []
        for bucket in (_HOUR, _DAY):
            counts: Counter[tuple[str, datetime, Outcome]] = Counter()
            for found in store.usage(owner, start, start + 2 * _DAY, bucket=bucket):
                day = found.start.replace(hour=0)
                counts.update({(found.key_id, day, outcome): count for outcome, count in found.counts.items()})
            sums.append(counts)
        assert sums[0] == sums[1]

    def test_only_the_keys_asked_for(self, store: KeyStore, owner: Owner) -> None:
        """Each of them as among all, whatever the order."""
        self.need(store, "usage")
        start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        keys = []
        for name in ("Server", "Laptop", "Robot"):
            key, secret = self.make_key(store, owner, new_key(name))
            assert self.accepts(store, secret)
            keys.append(key.id)
        every = {one.key_id: one for one in store.usage(owner, start, start + 2 * _DAY, bucket=_DAY)}
        for wanted in ([keys[0]], [keys[2], keys[1]]):
            found = store.usage(owner, start, start + 2 * _DAY, bucket=_DAY, key_ids=wanted)
            assert {one.key_id: one for one in found} == {key: every[key] for key in wanted if key in every}

    def test_what_a_revoked_key_did_stays(self, store: KeyStore, owner: Owner) -> None:
        """Or a total would fall when somebody tidies up."""
        self.need(store, "usage", "revoke")
        start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        key, secret = self.make_key(store, owner, new_key())
        assert self.accepts(store, secret)
        before = list(store.usage(owner, start, start + 2 * _DAY, bucket=_DAY))
        store.revoke_key(owner, key.id)
        assert list(store.usage(owner, start, start + 2 * _DAY, bucket=_DAY)) == before
        assert list(store.usage(owner, start, start + 2 * _DAY, bucket=_DAY, key_ids=[key.id])) == before
