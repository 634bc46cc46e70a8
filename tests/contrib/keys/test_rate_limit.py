"""The rate limit of a key: counted in the cache, exactly, and only by requests that nothing else refuses."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection

from portal import throttle
from portal.contrib.keys.verify import verify
from portal.keystore.base import Outcome
from tests.contrib.keys.making import change, make_key, rotate

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, 20, 250_000, tzinfo=UTC)


@pytest.fixture
def noon():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def outcomes(secret, times, **options):
    return [verify(secret, **options).outcome.value for _ in range(times)]


def test_the_limit_holds_in_each_window(noon):
    _, secret = make_key(rate_limit=2, rate_limit_seconds=60)
    assert outcomes(secret, 4) == ["VALID", "VALID", "RATE_LIMITED", "RATE_LIMITED"]
    noon.shift(39.5)
    assert outcomes(secret, 1) == ["RATE_LIMITED"]
    noon.shift(0.25)
    assert outcomes(secret, 3) == ["VALID", "VALID", "RATE_LIMITED"]


def test_what_the_answer_says(noon):
    key, secret = make_key(rate_limit=2, rate_limit_seconds=90)
    first, second, third = (verify(secret).rate_limit for _ in range(3))
    assert (first.number, first.limit, first.seconds, first.reset) == (1, 2, 90, 69_750)
    assert [one.remaining for one in (first, second, third)] == [1, 0, 0]
    assert [one.exceeded for one in (first, second, third)] == [False, False, True]
    change(key, rate_limit=None)
    assert verify(secret).rate_limit is None
    assert outcomes(secret, 5) == ["VALID"] * 5


def test_each_key_has_a_count_of_its_own_which_its_secrets_share(noon):
    key, secret = make_key(rate_limit=2)
    _, other = make_key(rate_limit=2)
    new = rotate(key, NOON - datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert outcomes(secret, 1) + outcomes(new, 2) == ["VALID", "VALID", "RATE_LIMITED"]
    assert outcomes(other, 2) == ["VALID", "VALID"]


def test_what_is_refused_otherwise_costs_nothing(noon):
    key, secret = make_key(rate_limit=1, permissions=["maps.read"])
    assert outcomes(secret, 3, permissions="maps.write") == ["INSUFFICIENT_PERMISSIONS"] * 3
    assert outcomes(secret, 3, keyspace_id="ks_2") == ["NOT_FOUND"] * 3
    for fields in ({"locked": True}, {"enabled": False}, {"expires_at": NOON}):
        change(key, **fields)
        verification = verify(secret)
        assert not verification.valid
        assert verification.rate_limit is None
        change(key, locked=False, enabled=True, expires_at=None)
    assert outcomes(secret, 2, permissions="maps.read") == ["VALID", "RATE_LIMITED"]


def test_the_count_is_in_the_shared_cache(shared_cache, patience):
    key, secret = make_key(rate_limit=2, rate_limit_seconds=86400)
    assert outcomes(secret, 3) == ["VALID", "VALID", "RATE_LIMITED"]
    throttle.forget_counts()
    assert outcomes(secret, 1) == ["RATE_LIMITED"]
    (name,) = shared_cache.command("KEYS", "*").split()
    assert key.public_id not in name
    assert 0 < int(shared_cache.command("TTL", name)) <= 2 * 86400


def test_a_cache_that_is_away_costs_nobody_their_request(shared_cache, patience, caplog):
    _, secret = make_key(rate_limit=2, rate_limit_seconds=86400)
    assert outcomes(secret, 1) == ["VALID"]
    shared_cache.stop()
    # What this process saw counts on.
    assert outcomes(secret, 2) == ["VALID", "RATE_LIMITED"]
    assert [line.name for line in caplog.records].count("portal.throttle") == 1


CHILD = """
import sys
from django.conf import settings
settings.configure(
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": sys.argv[1]}},
)
from portal.throttle import _deadline, hit
# Eight processes that connect at once on a busy machine are not what a slow cache is.
_deadline.seconds = 10
sys.stdin.readline()
print(sum(not hit("api_key", "key_1", 100, 86400).exceeded for _ in range(50)))
"""


def test_eight_processes_count_as_one(shared_cache):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, shared_cache.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    allowed = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(allowed) == 100, allowed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shared", [False, True])
def test_eight_threads_get_exactly_the_limit(request, patience, shared):
    if shared:
        request.getfixturevalue("shared_cache")
    _, secret = make_key(rate_limit=100, rate_limit_seconds=86400)
    start = threading.Barrier(8)

    def work(_):
        try:
            start.wait(10)
            return outcomes(secret, 25)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        seen = [outcome for one in pool.map(work, range(8)) for outcome in one]
    assert (seen.count(Outcome.VALID), seen.count(Outcome.RATE_LIMITED)) == (100, 100)
