"""What the default store sums up: the order of keys by their use, and the use of very many keys."""

from __future__ import annotations

import pytest

from portal import clock
from portal.contrib.keys.models import ApiKey
from portal.contrib.keys.store import DatabaseKeyStore
from portal.errors import InvalidInput
from portal.keystore.base import KeyFilter, KeyQuery, Outcome
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
        with django_assert_num_queries(3):
            found = summary(100, today() - 29 * DAY, today() + DAY, today() - 29 * DAY)
        assert found.others == max(0, number - 100)
        assert sum(one.counts[Outcome.VALID] for one in found.buckets) == number


class TestSubclasses:
    """Counts from elsewhere are not in the table by which keys are sorted and summed up."""

    def test_one_that_tells_usage_itself_does_no_more_unless_it_says_so(self):
        class Elsewhere(DatabaseKeyStore):
            def usage(self, *args, **options):
                return []

        class Both(Elsewhere):
            supports_usage_summary = True
            usage_sort_limit = 7

            def usage(self, *args, **options):
                return super().usage(*args, **options)

        class Further(Elsewhere):
            pass

        assert (Elsewhere.supports_usage_summary, Elsewhere.usage_sort_limit) == (False, 0)
        assert (Further.supports_usage_summary, Further.usage_sort_limit) == (False, 0)
        assert (Both.supports_usage_summary, Both.usage_sort_limit) == (True, 7)

    def test_another_one_does_all(self):
        class Renamed(DatabaseKeyStore):
            pass

        assert (Renamed.supports_usage_summary, Renamed.usage_sort_limit) == (True, LIMIT)
