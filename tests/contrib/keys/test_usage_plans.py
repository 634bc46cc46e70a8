"""Neither reading counts nor rolling them up walks through a table, however many other people's there are."""

from __future__ import annotations

import pytest
from django.db import connection

from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.models.usage import hour_of
from portal.contrib.keys.store import DatabaseKeyStore
from portal.contrib.keys.usage_rollup import roll_up
from portal.keystore.base import KeyQuery
from portal.management import batches
from tests.contrib.keys.counting import DAY, owner, today, usage
from tests.contrib.keys.making import make_key
from tests.contrib.keys.test_store import is_walk, plan, statements

pytestmark = pytest.mark.django_db

KEYS, HOURS = 300, 100


def use(keys):
    """Count a use of each key in each of a hundred hours, three weeks ago."""
    begin = hour_of(today() - 21 * DAY)
    KeyUsage.objects.bulk_create(
        [KeyUsage(key=key, hour=begin + hour, outcome="VALID", count=1) for key in keys for hour in range(HOURS)],
        batch_size=5000,
    )


def analyze():
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.fixture(params=["fresh", "stale"])
def keys(request):
    """Three keys of one user among those of 300, all used; stale statistics are those of the three keys alone."""
    if request.param == "stale" and connection.vendor != "sqlite":
        pytest.skip("PostgreSQL renews its statistics by itself.")
    mine = [make_key()[0] for _ in range(3)]
    use(mine)
    if request.param == "stale":
        analyze()
    use(
        ApiKey.objects.bulk_create(
            ApiKey(keyspace_id="ks_1", external_id=f"user_{number}", name="Key", start="sk_")
            for number in range(200, 500)
        )
    )
    if request.param == "fresh":
        analyze()
    return mine


def walks(asked):
    """Return the steps that read all counts; to look at the first entry of an index is none."""
    steps = [(sql, step) for sql in asked if "keyusage" in sql and "LIMIT 1" not in sql for step in plan(sql)]
    return [(sql, step) for sql, step in steps if "keyusage" in step and is_walk(step)]


def everybodys(asked):
    """Return the steps that read what all keys did in the time asked for."""
    steps = [(sql, step) for sql in asked for step in plan(sql)]
    return [(sql, step) for sql, step in steps if "portal_keys_usage_hour" in step]


def test_reading_walks_through_no_table(keys):
    start, end = today() - 30 * DAY, today() + DAY
    names = [key.public_id for key in keys]
    asked = statements(lambda: usage(start, end, DAY)) + statements(lambda: usage(start, end, DAY, key_ids=names))
    assert len(asked) == 2
    assert walks(asked) == everybodys(asked) == []


def test_summing_up_walks_through_no_table(keys):
    start, store = today() - 30 * DAY, DatabaseKeyStore()
    asked = statements(lambda: store.list_keys(owner(), KeyQuery(sort="-usage", used_since=start)))
    asked += statements(lambda: store.usage_summary(owner(), start, today() + DAY, bucket=DAY, most=2, since=start))
    assert len([sql for sql in asked if "keyusage" in sql]) == 4
    assert walks(asked) == everybodys(asked) == []


def test_rolling_up_walks_through_no_table(keys, monkeypatch):
    monkeypatch.setattr(batches, "PAUSE_SECONDS", 0)
    # What is left over after the last run, as every night.
    KeyUsage.objects.filter(hour__gt=hour_of(today() - 21 * DAY) + 1).exclude(key__in=keys).delete()
    asked = statements(lambda: roll_up(50))
    assert any("DELETE" in sql for sql in asked)
    assert walks(asked) == []
