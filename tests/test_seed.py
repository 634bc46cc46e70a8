"""The demo's thirty days: believable, up to today, and the same however often the demo is run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.seed import give_keys
from config.seed_usage import DAYS
from config.views import CUSTOMER
from portal import clock
from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.store import DatabaseKeyStore
from portal.keystore.base import Outcome, Owner
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
#: A Thursday.
NOW = datetime(2026, 11, 26, 10, 20, tzinfo=UTC)


def run_demo(config, now):
    with clock.using(lambda: now):
        give_keys(config)


def days(config, now, name):
    """Return what the key's days say, by date and outcome."""
    key = ApiKey.objects.get(name=name)
    buckets = DatabaseKeyStore().usage(
        Owner(config, CUSTOMER["id"]), now - 100 * DAY, now, bucket=DAY, key_ids=[key.public_id]
    )
    return {bucket.start.date(): dict(bucket.counts) for bucket in buckets}


@pytest.fixture
def config():
    return PortalConfigFactory(keyspace_id="northwind")


@pytest.mark.parametrize("later", [timedelta(days=number, hours=7 * number) for number in (0, 3, 11)])
def test_thirty_days_that_a_customer_could_have_had(config, later):
    now = NOW + later
    run_demo(config, now)
    first = (now - DAYS * DAY).date()
    server = days(config, now, "Production server")
    assert [*server] == [first + number * DAY for number in range(DAYS + 1)]
    full = {day: counts["VALID"] for day, counts in server.items() if first < day < now.date()}
    weekend = [number for day, number in full.items() if day.weekday() >= 5]
    week = [number for day, number in full.items() if day.weekday() < 5]
    assert max(weekend) < min(week)
    # One night in which a job ran wild.
    bursts = [day for day, counts in days(config, now, "Partner import").items() if "RATE_LIMITED" in counts]
    assert len(bursts) == 1
    # One that is nearly unused, and one that is switched off.
    assert sum(counts["VALID"] for counts in days(config, now, "Staging").values()) < 30
    assert {outcome for counts in days(config, now, "Old laptop").values() for outcome in counts} == {Outcome.DISABLED}
    assert all(day.weekday() < 5 for day in days(config, now, "CI") if day != now.date())


def test_the_last_use_is_among_the_counted(config):
    run_demo(config, NOW)
    used = ApiKey.objects.filter(last_used_at__gt=NOW - DAYS * DAY)
    assert len(used) > 3
    for key in used:
        assert days(config, NOW, key.name)[key.last_used_at.date()]["VALID"] >= 1, key.name


def test_another_run_adds_nothing_and_a_later_one_what_is_missing(config):
    run_demo(config, NOW)
    before = set(KeyUsage.objects.values_list("key", "hour", "outcome", "count"))
    for minutes in (0, 30, 600):
        run_demo(config, NOW + timedelta(minutes=minutes))
    assert set(KeyUsage.objects.values_list("key", "hour", "outcome", "count")) == before
    run_demo(config, NOW + 3 * DAY)
    after = set(KeyUsage.objects.values_list("key", "hour", "outcome", "count"))
    assert before < after
    added = {day for day in days(config, NOW + 3 * DAY, "Production server") if day > NOW.date()}
    assert added == {(NOW + number * DAY).date() for number in (1, 2, 3)}


def test_a_key_has_no_use_from_before_it_was(config):
    run_demo(config, NOW)
    ApiKey.objects.filter(name="CI").delete()
    ApiKey.objects.issue("nw", keyspace_id="northwind", external_id=CUSTOMER["id"], name="CI", created_at=NOW + 2 * DAY)
    run_demo(config, NOW + 6 * DAY)
    assert min(days(config, NOW + 6 * DAY, "CI")) >= (NOW + 2 * DAY).date()
