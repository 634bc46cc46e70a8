"""What is counted of keys, and how the store tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from portal import clock
from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.recorder import Use, recorder
from portal.contrib.keys.store import DatabaseKeyStore
from portal.contrib.keys.verify import verify
from portal.keystore.base import Outcome
from tests.contrib.keys.counting import DAY, HOUR, count, counted, owner, rows, today, usage
from tests.contrib.keys.making import make_key, rotate
from tests.factories import issue_root_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.contrib.keys.hosted")]


# ---- what counts


@pytest.mark.parametrize(
    ("outcome", "fields", "needed"),
    [
        ("VALID", {}, ()),
        ("RATE_LIMITED", {"rate_limit": 0}, ()),
        ("INSUFFICIENT_PERMISSIONS", {}, "maps.read"),
        ("FORBIDDEN", {"locked": True}, ()),
        ("DISABLED", {"enabled": False}, ()),
        ("EXPIRED", {"expires_at": clock.from_milliseconds(0)}, ()),
    ],
)
def test_every_outcome_of_a_known_key_counts(outcome, fields, needed):
    key, secret = make_key(**fields)
    for _ in range(3):
        assert verify(secret, permissions=needed).outcome == outcome
    recorder.flush()
    verify(secret, permissions=needed)
    recorder.flush()
    assert counted(key) == {outcome: 4}


def test_an_old_secret_that_has_ended_counts_as_expired_for_its_key():
    key, old = make_key()
    new = rotate(key, HOUR)
    verify(old)
    verify(new)
    with clock.using(lambda: datetime.now(UTC) + 2 * HOUR):
        assert verify(old).key is None
    recorder.flush()
    assert counted(key) == {"VALID": 2, "EXPIRED": 1}


def test_unknown_keys_count_nowhere():
    _, secret = make_key()
    revoked, gone = make_key()
    assert ApiKey.objects.revoke(revoked.public_id)
    verify("unknown")
    verify(secret[:-1])
    verify(gone)
    verify(secret, keyspace_id="ks_2")
    recorder.flush()
    assert not KeyUsage.objects.exists()


def test_every_way_of_verifying_counts(client):
    key, secret = make_key(permissions=["maps.read"])
    mine = {"Authorization": f"Bearer {secret}"}
    root_key = issue_root_key(granted=["api.*.verify_key"]).secret
    ways = {
        "class": lambda: client.get("/maps/", headers=mine).status_code,
        "permission": lambda: client.get("/maps/write/", headers=mine).status_code,
        "plain": lambda: client.get("/maps/plain/", headers=mine).status_code,
        "operation": lambda: (
            client.post(
                "/v2/keys.verifyKey",
                {"key": secret},
                content_type="application/json",
                headers={"Authorization": f"Bearer {root_key}"},
            ).status_code
        ),
    }
    assert {name: way() for name, way in ways.items()} == {
        "class": 200,
        "permission": 403,
        "plain": 200,
        "operation": 200,
    }
    recorder.flush()
    assert counted(key) == {"VALID": 3, "INSUFFICIENT_PERMISSIONS": 1}


def test_hours_are_of_utc_and_whole():
    key, secret = make_key()
    begin = datetime(2026, 10, 25, 0, tzinfo=UTC)
    for moment in (begin, begin + HOUR - timedelta(milliseconds=1), begin + HOUR):
        with clock.using(lambda moment=moment: moment):
            verify(secret)
    recorder.flush()
    assert rows(key) == {begin: 2, begin + HOUR: 1}


def test_a_key_that_is_gone_is_left_out_and_disturbs_nobody():
    key, secret = make_key()
    gone, gone_secret = make_key()
    verify(secret)
    verify(gone_secret)
    gone.delete()
    recorder.flush()
    assert counted(key) == {"VALID": 1}
    assert KeyUsage.objects.count() == 1
    # With the key go its counts.
    key.delete()
    assert not KeyUsage.objects.exists()


def test_the_table_grows_by_keys_and_hours_and_not_by_requests():
    """The smaller form of ten million requests."""
    keys = [verify(make_key()[1]).key for _ in range(4)]
    recorder.forget()
    begin = today() - 2 * DAY
    for hour in range(48):
        moment = begin + hour * HOUR
        for key in keys:
            for number in range(250):
                recorder.record(Use(key, Outcome.RATE_LIMITED if number % 10 == 0 else Outcome.VALID, moment))
        recorder.flush()
    assert KeyUsage.objects.count() == 4 * 48 * 2
    assert sum(row.count for row in KeyUsage.objects.all()) == 4 * 48 * 250
    assert sum(sum(one.values()) for one in usage(begin, begin + 2 * DAY, DAY).values()) == 48_000


def test_many_counts_in_few_statements(django_assert_num_queries):
    keys = [make_key() for _ in range(150)]
    for _, secret in keys:
        verify(secret)
    # Two batches of counts, two of keys and two of secrets, each in a savepoint because a test is a transaction.
    # On PostgreSQL each of the two batches of counts says first how long it waits for a lock.
    with django_assert_num_queries(6 * 3 + (2 if connection.vendor == "postgresql" else 0)):
        recorder.flush()
    assert KeyUsage.objects.count() == 150


# ---- what the store says


def test_buckets_by_hour_and_by_day():
    key, _ = make_key()
    other, _ = make_key()
    start = today() - 3 * DAY
    count(key, start + 5 * HOUR, 2)
    count(key, start + 5 * HOUR, 1, Outcome.RATE_LIMITED)
    count(key, start + 23 * HOUR, 4)
    count(other, start + DAY, 8)
    assert usage(start, start + 2 * DAY, HOUR) == {
        (key.public_id, start + 5 * HOUR): {"VALID": 2, "RATE_LIMITED": 1},
        (key.public_id, start + 23 * HOUR): {"VALID": 4},
        (other.public_id, start + DAY): {"VALID": 8},
    }
    assert usage(start, start + 2 * DAY, DAY) == {
        (key.public_id, start): {"VALID": 6, "RATE_LIMITED": 1},
        (other.public_id, start + DAY): {"VALID": 8},
    }
    assert usage(start, start + 2 * DAY, DAY, key_ids=[other.public_id]) == {
        (other.public_id, start + DAY): {"VALID": 8},
    }
    assert usage(start, start + 2 * DAY, DAY, key_ids=[]) == {}


def test_buckets_are_those_that_begin_in_the_time_asked_for():
    key, _ = make_key()
    begin = today() - 3 * DAY
    for hour in range(72):
        count(key, begin + hour * HOUR)
    half = timedelta(minutes=30)
    hours = usage(begin + half, begin + 3 * HOUR + half, HOUR)
    assert [start - begin for _, start in hours] == [HOUR, 2 * HOUR, 3 * HOUR]
    assert [start - begin for _, start in usage(begin, begin + 2 * HOUR, HOUR)] == [0 * HOUR, HOUR]
    days = usage(begin + half, begin + 2 * DAY + half, DAY)
    assert days == {(key.public_id, begin + number * DAY): {"VALID": 24} for number in (1, 2)}
    assert [start - begin for _, start in usage(begin, begin + DAY, DAY)] == [0 * DAY]


def test_only_the_owners_keys_revoked_ones_included():
    mine, _ = make_key()
    revoked, _ = make_key()
    theirs, _ = make_key(external_id="user_124")
    elsewhere, _ = make_key(keyspace_id="ks_2")
    start = today() - DAY
    for key in (mine, revoked, theirs, elsewhere):
        count(key, start)
    ApiKey.objects.revoke(revoked.public_id)
    found = usage(start, start + DAY, DAY)
    assert {key_id for key_id, _ in found} == {mine.public_id, revoked.public_id}
    assert usage(start, start + DAY, DAY, key_ids=[theirs.public_id, elsewhere.public_id]) == {}
    assert {key_id for key_id, _ in usage(start, start + DAY, DAY, of=owner("ks_2"))} == {elsewhere.public_id}


def test_a_page_of_keys_with_a_month_is_one_statement(django_assert_num_queries):
    keys = [make_key()[0] for _ in range(25)]
    start = today() - 29 * DAY
    for key in keys:
        for day in range(30):
            count(key, start + day * DAY + 7 * HOUR, day + 1)
    with django_assert_num_queries(1):
        found = usage(start, start + 30 * DAY, DAY, key_ids=[key.public_id for key in keys])
    assert len(found) == 25 * 30
    assert sum(one["VALID"] for one in found.values()) == 25 * 30 * 31 // 2


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_no_zone_and_no_change_of_the_clocks_moves_a_bucket(settings, zone):
    """Berlin puts its clocks back in the night to October 25, 2026, at one o'clock UTC; New York on November 1."""
    settings.TIME_ZONE = zone
    key, secret = make_key()
    begin = datetime(2026, 10, 24, tzinfo=UTC)
    with timezone.override(zone):
        for hour in range(9 * 24):
            moment = (begin + hour * HOUR).astimezone(timezone.get_current_timezone())
            with clock.using(lambda moment=moment: moment):
                verify(secret)
        recorder.flush()
        end = begin + 9 * DAY
        assert set(usage(begin, end, HOUR)) == {(key.public_id, begin + hour * HOUR) for hour in range(9 * 24)}
        assert usage(begin, end, DAY) == {(key.public_id, begin + day * DAY): {"VALID": 24} for day in range(9)}


def test_the_store_says_that_it_knows():
    assert DatabaseKeyStore.supports_usage is True
