"""What the use of keys amounts to: their order by it, and the summary of it."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from portal import clock
from portal.keystore.base import KeyQuery, KeySort, KeyStore, Outcome, Owner

from .hooks import new_key
from .walking import Walking

__all__ = ["SummingTests"]

_DAY = timedelta(days=1)
_LIMIT = 2

#: How often each key is used yesterday and today. Two of them were used alike, and two not at all.
_USES = {"idle": (0, 0), "busy": (0, 5), "laptop": (1, 1), "robot": (0, 2), "retired": (4, 0), "spare": (0, 0)}


class SummingTests(Walking):
    """The numbers are those of :meth:`~portal.keystore.base.KeyStore.usage`, whatever the store takes for a use."""

    @pytest.mark.parametrize("sort", ["usage", "-usage"])
    def test_order_by_use(self, store: KeyStore, owner: Owner, sort: KeySort) -> None:
        """As ``usage`` tells it, on all pages and both ways; keys without use are there too, and used the least."""
        self.need_sorting(store)
        today, ids = self.use_keys(store, owner)
        for since in (today, today - _DAY):
            query = KeyQuery(sort=sort, used_since=since)
            uses = self.uses(store, owner, since, today + _DAY)
            keys = [key.id for key in store.list_keys(owner, query).keys]
            assert sorted(keys) == sorted(ids.values())
            values = [uses[key_id] for key_id in keys]
            assert values == sorted(values, reverse=sort == "-usage"), since
            self.walk(store, owner, KeyQuery(_LIMIT, sort=sort, used_since=since, with_counts=True), keys)

    def test_order_by_all_use_that_is_known(self, store: KeyStore, owner: Owner) -> None:
        """Where nothing is said of since when."""
        self.need_sorting(store)
        today, _ids = self.use_keys(store, owner)
        from_the_day_before = store.list_keys(owner, KeyQuery(sort="-usage", used_since=today - _DAY)).keys
        assert store.list_keys(owner, KeyQuery(sort="-usage")).keys == from_the_day_before

    def test_a_summary_tells_the_most_used_apart(self, store: KeyStore, owner: Owner, strangers: list[Owner]) -> None:
        """The others are one, and all together are what ``usage`` tells. It is the owner's alone."""
        self.need(store, "usage", "usage_summary")
        today, _ids = self.use_keys(store, owner)
        start, end = today - _DAY, today + _DAY
        for since in (start, today):
            ranked = Counter(self.uses(store, owner, since, end)).most_common()
            for most in range(len(_USES) + 1):
                found = store.usage_summary(owner, start, end, bucket=_DAY, most=most, since=since)
                apart = {bucket.key_id for bucket in found.buckets} - {""}
                assert found.others == len(ranked) - len(apart)
                assert len(apart) == min(most, len(ranked))
                least, rest = min((dict(ranked)[key_id] for key_id in apart), default=0), ranked[most:]
                assert all(count <= least for _key_id, count in rest) or not apart
                expected: Counter[tuple[str, datetime, Outcome]] = Counter()
                for bucket in store.usage(owner, start, end, bucket=_DAY):
                    key_id = bucket.key_id if bucket.key_id in apart else ""
                    expected.update({(key_id, bucket.start, outcome): n for outcome, n in bucket.counts.items()})
                told = {(b.key_id, b.start, outcome): n for b in found.buckets for outcome, n in b.counts.items()}
                assert told == expected
        for stranger in strangers:
            found = store.usage_summary(stranger, start, end, bucket=_DAY, most=1, since=start)
            assert (list(found.buckets), found.others) == ([], 0)

    def test_a_summary_has_what_a_revoked_key_did(self, store: KeyStore, owner: Owner) -> None:
        """As ``usage`` has."""
        self.need(store, "usage", "usage_summary", "revoke")
        today, ids = self.use_keys(store, owner)
        before = store.usage_summary(owner, today, today + _DAY, bucket=_DAY, most=1, since=today)
        store.revoke_key(owner, ids["busy"])
        after = store.usage_summary(owner, today, today + _DAY, bucket=_DAY, most=1, since=today)
        assert (list(after.buckets), after.others) == (list(before.buckets), before.others)
        # Its name may be another key's by now.
        assert not after.names

    def test_a_summary_names_the_keys_it_tells_apart(self, store: KeyStore, owner: Owner) -> None:
        """All of them, where the store names any."""
        self.need(store, "usage", "usage_summary")
        today, ids = self.use_keys(store, owner)
        for most in (1, 3):
            found = store.usage_summary(owner, today, today + _DAY, bucket=_DAY, most=most, since=today)
            if found.names is None:
                pytest.skip("The store's summary has no names.")
            apart = {bucket.key_id for bucket in found.buckets} - {""}
            assert dict(found.names) == {key_id: name for name, key_id in ids.items() if key_id in apart}

    def need_sorting(self, store: KeyStore) -> None:
        """Skip the test unless the store sorts by use."""
        self.need(store, "usage")
        if store.usage_sort_limit < len(_USES):
            pytest.skip("The store does not set usage_sort_limit.")

    def use_keys(self, store: KeyStore, owner: Owner) -> tuple[datetime, dict[str, str]]:
        """Make keys and use them, and return when today began, and the ids of the keys by name."""
        today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        with self.at(today - _DAY):
            made = {name: self.make_key(store, owner, new_key(name)) for name in _USES}
        for day, moment in enumerate((today - _DAY, today)):
            with self.at(moment):
                for name, uses in _USES.items():
                    for _ in range(uses[day]):
                        assert self.accepts(store, made[name].secret)
        return today, {name: issued.key.id for name, issued in made.items()}

    def uses(self, store: KeyStore, owner: Owner, start: datetime, end: datetime) -> Counter[str]:
        """Return how often each key was used, by its id."""
        found: Counter[str] = Counter()
        for bucket in store.usage(owner, start, end, bucket=_DAY):
            found[bucket.key_id] += sum(bucket.counts.values())
        return found
