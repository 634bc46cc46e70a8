"""What the default store sums up: the order of keys by their use, and the use of very many keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from portal import clock
from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.store import DatabaseKeyStore
from portal.errors import InvalidInput
from portal.keystore.base import KeyFilter, KeyQuery, Outcome, UsageSummary
from tests.contrib.keys.counting import DAY, HOUR, count, owner, today
from tests.contrib.keys.making import make_key
from tests.contrib.keys.test_store import statements

pytestmark = pytest.mark.django_db

LIMIT = DatabaseKeyStore.usage_sort_limit


def names(**query):
    page = DatabaseKeyStore().list_keys(owner(), KeyQuery(**{"sort": "-usage", **query}))
    return [key.name for key in page.keys]


def many(number, **fields):
    return ApiKey.objects.bulk_create(
        ApiKey(keyspace_id="ks_1", external_id="user_123", start="sk_", name=f"Key {place:04}", **fields)
        for place in range(number)
    )


def summary(most, start, end, since):
    return DatabaseKeyStore().usage_summary(owner(), start, end, bucket=DAY, most=most, since=since)


def told(found):
    return {(one.key_id, one.start): dict(one.counts) for one in found.buckets}


@contextmanager
def before_statement(number: int, act: Callable[[], Any]) -> Iterator[None]:
    """Do ``act`` before a statement of the block, as another process could; the first is 1."""
    left = [number]

    def between(execute: Any, *asked: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            act()
        return execute(*asked)

    with connection.execute_wrapper(between):
        yield


class TestOrder:
    def test_every_outcome_counts_and_only_since_then(self):
        since = today() - 2 * DAY
        refused, busy, old = (make_key(name=name)[0] for name in ("Refused", "Busy", "Old"))
        count(busy, since, 5)
        count(refused, since + HOUR, 3)
        count(refused, today(), 3, Outcome.RATE_LIMITED)
        count(old, since - HOUR, 100)
        count(old, today(), 1)
        make_key(name="Unused")
        assert names(used_since=since) == ["Refused", "Busy", "Old", "Unused"]
        assert names(used_since=since, sort="usage") == ["Unused", "Old", "Busy", "Refused"]
        assert names() == ["Old", "Refused", "Busy", "Unused"]

    def test_filter_search_and_counts_are_as_in_every_order(self):
        for number, name in enumerate(("Robot 1", "Robot 2", "Laptop", "Robot 3")):
            count(make_key(name=name, enabled=name != "Robot 2")[0], today(), number + 1)
        make_key(name="Robot 4", external_id="user_124")
        query = KeyQuery(1, filter=KeyFilter.ACTIVE, search="ROBOT", sort="-usage", with_counts=True)
        page = DatabaseKeyStore().list_keys(owner(), query)
        assert [key.name for key in page.keys] == ["Robot 3"]
        assert (page.matching, page.before, page.counts.total, page.counts.disabled) == (2, 0, 4, 1)
        assert names(filter=KeyFilter.ACTIVE, search="ROBOT", cursor=page.next) == ["Robot 1"]

    @pytest.mark.parametrize("number", [3, 60])
    def test_it_costs_no_statement_more_than_another_order(self, number):
        for key in many(number, rotated_at=clock.now()):
            count(key, today())
        asked = {
            sort: len(statements(lambda sort=sort: names(sort=sort, limit=2, with_counts=True)))
            for sort in ("-created", "-usage")
        }
        assert asked == {"-created": 3, "-usage": 3}

    def test_of_very_many_keys_there_is_no_such_order(self):
        keys = many(LIMIT)
        count(keys[0], today())
        assert names(limit=1) == ["Key 0000"]
        make_key()

        def refused():
            with pytest.raises(InvalidInput):
                names()

        # Nothing is summed up first.
        assert not [sql for sql in statements(refused) if "usage" in sql]
        assert len(names(sort="-created")) == 100


class TestSummary:
    def test_the_most_used_and_the_others_together(self):
        start = today() - 3 * DAY
        keys = [make_key()[0] for _ in range(4)]
        for number, key in enumerate(keys):
            count(key, start + 5 * HOUR, 20 - 2 * number)
            if number:
                count(key, today(), number, Outcome.EXPIRED)
        gone = make_key()[0]
        count(gone, today(), 2)
        ApiKey.objects.revoke(gone.public_id)
        count(make_key(external_id="user_124")[0], today(), 99)
        found = summary(1, start, today() + DAY, start)
        assert told(found) == {
            (keys[0].public_id, start): {"VALID": 20},
            ("", start): {"VALID": 18 + 16 + 14},
            ("", today()): {"EXPIRED": 1 + 2 + 3, "VALID": 2},
        }
        assert found.others == 4
        # Of those used today the first has no part.
        found = summary(2, start, today() + DAY, today())
        second = min(keys[2].public_id, gone.public_id)
        assert {key_id for key_id, _start in told(found)} == {"", keys[3].public_id, second}
        assert found.others == 2

    def test_without_use_or_keys(self):
        assert summary(5, today(), today() + DAY, today()) == summary(0, today(), today() + DAY, today())
        make_key()
        found = summary(5, today(), today() + DAY, today())
        assert (list(found.buckets), found.others) == ([], 0)

    @pytest.mark.parametrize("number", [1, 300])
    def test_three_statements_however_many_keys_there_are(self, django_assert_num_queries, number):
        for place, key in enumerate(many(number)):
            count(key, today() - place % 30 * DAY)
        # Nobody is left to be summed up where all are told.
        with django_assert_num_queries(3 if number > 100 else 2):
            found = summary(100, today() - 29 * DAY, today() + DAY, today() - 29 * DAY)
        assert found.others == max(0, number - 100)
        assert sum(one.counts[Outcome.VALID] for one in found.buckets) == number


class TestMeanwhile:
    """What is counted or deleted between two statements leaves an answer whose parts are the whole."""

    @property
    def start(self):
        return today() - 3 * DAY

    def test_a_key_that_is_first_used_is_in_the_next_answer(self):
        """It is no use of nobody."""
        told_first, late = make_key()[0], make_key()[0]
        count(told_first, today(), 10)
        for number in (2, 3):
            with before_statement(number, lambda: count(late, today(), 5)):
                found = summary(100, self.start, today() + DAY, self.start)
            assert (told(found), found.others) == ({(told_first.public_id, today()): {"VALID": 10}}, 0)
            KeyUsage.objects.filter(key=late).delete()

    def test_the_same_where_others_were_used_before_the_ranking(self):
        told_first, early = make_key()[0], make_key()[0]
        count(told_first, today(), 10)
        count(early, self.start, 7)
        with before_statement(2, lambda: count(early, today(), 5)):
            found = summary(100, self.start, today() + DAY, today())
        assert told(found) == {(told_first.public_id, today()): {"VALID": 10}, ("", self.start): {"VALID": 7}}
        assert found.others == 0

    @pytest.mark.parametrize("number", [2, 3])
    def test_a_told_key_is_none_of_the_others(self, number):
        first, second = make_key()[0], make_key()[0]
        count(first, today(), 10)
        count(second, today(), 4)
        with before_statement(number, lambda: count(first, today(), 5)):
            found = summary(1, self.start, today() + DAY, self.start)
        assert told(found)[("", today())] == {"VALID": 4}
        assert found.others == 1

    @pytest.mark.parametrize("earlier", [0, 7])
    def test_others_that_are_deleted_are_none(self, earlier):
        first, second, third = (make_key()[0] for _ in range(3))
        count(first, today(), 10)
        count(second, today(), 4)
        if earlier:
            count(third, self.start, earlier)
        with before_statement(3, lambda: KeyUsage.objects.filter(key=second).delete()):
            found = summary(1, self.start, today() + DAY, today())
        assert {key_id: counts["VALID"] for (key_id, _start), counts in told(found).items() if not key_id} == (
            {"": earlier} if earlier else {}
        )
        assert found.others == 0


class TestSubclasses:
    """Counts from elsewhere are not in the table by which keys are sorted and summed up."""

    def test_one_that_tells_usage_itself_does_no_more_unless_it_says_so(self):
        class Elsewhere(DatabaseKeyStore):
            def usage(self, *args, **options):
                return []

        class Both(DatabaseKeyStore):
            usage_sort_limit = 7

            def usage(self, *args, **options):
                return super().usage(*args, **options)

            def usage_summary(self, *args, **options):
                return super().usage_summary(*args, **options)

        class Further(Elsewhere):
            pass

        assert (Elsewhere.supports_usage_summary, Elsewhere.usage_sort_limit) == (False, 0)
        assert (Further.supports_usage_summary, Further.usage_sort_limit) == (False, 0)
        assert (Both.supports_usage_summary, Both.usage_sort_limit) == (True, 7)

    def test_the_same_of_another_base(self):
        class Pipeline:
            def usage(self, *args, **options):
                return []

        class Sorting(Pipeline):
            usage_sort_limit = 7

        class Summing(Pipeline):
            def usage_summary(self, *args, **options):
                return UsageSummary([], 0)

        found = {}
        for base in (Pipeline, Sorting, Summing):
            store = type("Store", (base, DatabaseKeyStore), {})
            found[base] = store.supports_usage_summary, store.usage_sort_limit
        assert found == {Pipeline: (False, 0), Sorting: (False, 7), Summing: (True, 0)}

    def test_it_cannot_say_that_the_table_is_its_summary(self):
        class Both(DatabaseKeyStore):
            supports_usage_summary = True

            def usage(self, *args, **options):
                return []

        assert not Both.supports_usage_summary

    def test_another_one_does_all(self):
        class Renamed(DatabaseKeyStore):
            pass

        assert (Renamed.supports_usage_summary, Renamed.usage_sort_limit) == (True, LIMIT)

    def test_a_key_whose_counts_are_deleted_meanwhile_has_no_name(self):
        gone, stays = make_key(name="Gone")[0], make_key(name="Stays")[0]
        for key in (gone, stays):
            count(key, today())
        with before_statement(2, KeyUsage.objects.filter(key=gone).delete):
            found = summary(5, today(), today() + DAY, today())
        assert found.names == {stays.public_id: "Stays"}
