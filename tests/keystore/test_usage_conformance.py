"""The conformance tests of usage find what is wrong with a store's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal import clock
from portal.keystore.base import KeyPage, KeyQuery, KeyStore, Outcome, Owner, UsageBucket, UsageSummary

from .doubles import CountingStore
from .test_conformance import FOUND, run

HOUR = timedelta(hours=1)


class CountsHoursAlone(CountingStore):
    def usage(self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, **options: Any) -> Any:
        found = super().usage(owner, start, end, bucket=bucket, **options)
        return found if bucket == HOUR else [UsageBucket(one.key_id, one.start, {Outcome.VALID: 1}) for one in found]


class TellsOfAllKeys(CountingStore):
    def usage(self, *args: Any, key_ids: Sequence[str] | None = None, **options: Any) -> Any:
        return super().usage(*args, **options)


class ForgetsRevokedKeys(CountingStore):
    def usage(self, owner: Owner, *args: Any, **options: Any) -> Any:
        return [one for one in super().usage(owner, *args, **options) if one.key_id in self._of(owner)]


class TellsStrangers(CountingStore):
    def usage(self, owner: Owner, start: datetime, end: datetime, **options: Any) -> Any:
        owners = {whose for whose, _, _ in self.uses}
        return [
            one
            for keyspace_id, external_id in owners
            for one in super(TellsStrangers, self).usage(_Somebody(keyspace_id, external_id), start, end, **options)
        ]


class _Somebody:
    def __init__(self, keyspace_id: str, external_id: str) -> None:
        self.keyspace_id = keyspace_id
        self.external_id = external_id


class BeginsWhenItWasAsked(CountingStore):
    def usage(self, owner: Owner, start: datetime, end: datetime, **options: Any) -> Any:
        return [
            UsageBucket(one.key_id, start + HOUR / 2, one.counts) for one in super().usage(owner, start, end, **options)
        ]


class SortsByNothing(CountingStore):
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        uses, self.uses = self.uses, []
        page = super().list_keys(owner, query)
        self.uses = uses
        return page


class SortsByAllUse(CountingStore):
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        return super().list_keys(owner, replace(query, used_since=None))


class SortsByTheLastDay(CountingStore):
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return super().list_keys(owner, replace(query, used_since=query.used_since or today))


class ListsUsedKeysAlone(CountingStore):
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        used, page = {key_id for _whose, key_id, _moment in self.uses}, super().list_keys(owner, query)
        return replace(page, keys=tuple(key for key in page.keys if key.id in used))


class RanksByAllUse(CountingStore):
    def usage_summary(self, owner: Owner, start: datetime, *args: Any, since: datetime, **options: Any) -> Any:
        return super().usage_summary(owner, start, *args, since=start, **options)


class ForgetsTheOthers(CountingStore):
    def usage_summary(self, *args: Any, **options: Any) -> UsageSummary:
        found = super().usage_summary(*args, **options)
        return replace(found, buckets=[bucket for bucket in found.buckets if bucket.key_id])


class CountsTheToldAmongTheOthers(CountingStore):
    def usage_summary(self, *args: Any, **options: Any) -> UsageSummary:
        found = super().usage_summary(*args, **options)
        return replace(found, others=found.others + len({bucket.key_id for bucket in found.buckets}))


class TellsTheLeastUsed(CountingStore):
    def usage_summary(self, owner: Owner, start: datetime, end: datetime, *, most: int, **options: Any) -> UsageSummary:
        whole = super().usage_summary(owner, start, end, most=100, **options)
        least = sorted({bucket.key_id for bucket in whole.buckets})[:most]
        buckets = [bucket if bucket.key_id in least else replace(bucket, key_id="") for bucket in whole.buckets]
        return UsageSummary(buckets, len({bucket.key_id for bucket in whole.buckets}) - len(least))


class SaysThatItSumsUp(CountingStore):
    usage_summary = KeyStore.usage_summary


class SumsUpTheLivingAlone(CountingStore):
    def usage_summary(self, owner: Owner, *args: Any, **options: Any) -> UsageSummary:
        found = super().usage_summary(owner, *args, **options)
        return replace(found, buckets=[bucket for bucket in found.buckets if bucket.key_id in {"", *self._of(owner)}])


class NamesRevokedKeys(CountingStore):
    def usage_summary(self, *args: Any, **options: Any) -> UsageSummary:
        found = super().usage_summary(*args, **options)
        return replace(found, names={bucket.key_id: "Gone" for bucket in found.buckets})


class NamesOneKey(CountingStore):
    def usage_summary(self, *args: Any, **options: Any) -> UsageSummary:
        found = super().usage_summary(*args, **options)
        return replace(found, names=dict(list((found.names or {}).items())[:1]))


class NamesAllKeys(CountingStore):
    def usage_summary(self, owner: Owner, *args: Any, **options: Any) -> UsageSummary:
        names = {key.id: key.name for key in self._of(owner).values()}
        return replace(super().usage_summary(owner, *args, **options), names=names)


class NamesNoKeys(CountingStore):
    def usage_summary(self, *args: Any, **options: Any) -> UsageSummary:
        return replace(super().usage_summary(*args, **options), names=None)


@pytest.mark.parametrize(
    ("wrong", "name", "parameters"),
    [
        (CountsHoursAlone, "test_hours_add_up_to_days", {}),
        (TellsOfAllKeys, "test_only_the_keys_asked_for", {}),
        (ForgetsRevokedKeys, "test_what_a_revoked_key_did_stays", {}),
        (TellsStrangers, "test_buckets_are_of_the_owners_keys_and_of_the_time_asked_for", {"bucket": HOUR}),
        (BeginsWhenItWasAsked, "test_buckets_are_of_the_owners_keys_and_of_the_time_asked_for", {"bucket": HOUR}),
        *(
            (wrong, "test_order_by_use", {"sort": sort})
            for wrong in (SortsByNothing, SortsByAllUse, ListsUsedKeysAlone)
            for sort in ("usage", "-usage")
        ),
        (SortsByTheLastDay, "test_order_by_all_use_that_is_known", {}),
        *(
            (wrong, "test_a_summary_tells_the_most_used_apart", {})
            for wrong in (
                RanksByAllUse,
                ForgetsTheOthers,
                CountsTheToldAmongTheOthers,
                TellsTheLeastUsed,
                SaysThatItSumsUp,
            )
        ),
        (SumsUpTheLivingAlone, "test_a_summary_has_what_a_revoked_key_did", {}),
        (NamesRevokedKeys, "test_a_summary_has_what_a_revoked_key_did", {}),
        (NamesOneKey, "test_a_summary_names_the_keys_it_tells_apart", {}),
        (NamesAllKeys, "test_a_summary_names_the_keys_it_tells_apart", {}),
    ],
)
def test_it_finds_wrong_numbers(wrong: type[CountingStore], name: str, parameters: dict[str, Any]) -> None:
    run(CountingStore(), name, **parameters)
    with pytest.raises(FOUND):
        run(wrong(), name, **parameters)


def test_a_summary_need_not_name_keys() -> None:
    run(NamesNoKeys(), "test_a_summary_has_what_a_revoked_key_did")
    with pytest.raises(pytest.skip.Exception, match="has no names"):
        run(NamesNoKeys(), "test_a_summary_names_the_keys_it_tells_apart")


class SortsNoKeys(CountingStore):
    usage_sort_limit = 0


def test_a_store_that_sorts_no_keys_by_use_need_not() -> None:
    with pytest.raises(pytest.skip.Exception, match="does not set usage_sort_limit"):
        run(SortsNoKeys(), "test_order_by_use", sort="usage")
