"""The conformance tests of usage find what is wrong with a store's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.keystore.base import Outcome, Owner, UsageBucket

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


@pytest.mark.parametrize(
    ("wrong", "name", "parameters"),
    [
        (CountsHoursAlone, "test_hours_add_up_to_days", {}),
        (TellsOfAllKeys, "test_only_the_keys_asked_for", {}),
        (ForgetsRevokedKeys, "test_what_a_revoked_key_did_stays", {}),
        (TellsStrangers, "test_buckets_are_of_the_owners_keys_and_of_the_time_asked_for", {"bucket": HOUR}),
        (BeginsWhenItWasAsked, "test_buckets_are_of_the_owners_keys_and_of_the_time_asked_for", {"bucket": HOUR}),
    ],
)
def test_it_finds_wrong_numbers(wrong: type[CountingStore], name: str, parameters: dict[str, Any]) -> None:
    run(CountingStore(), name, **parameters)
    with pytest.raises(FOUND):
        run(wrong(), name, **parameters)
