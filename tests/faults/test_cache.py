"""The cache is refused, or hangs (security F12; design decision 19)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal import tokens
from tests.faults.answers import Answer
from tests.faults.forms import forms
from tests.faults.hosts import Host, Hosts
from tests.redis import Redis, redis_server

#: What the limiter may add to a call, in seconds: 0.2 for the cache, and what a busy machine takes for a thread and a log.
ADDED = 0.4

#: Guesses among which the limit of 60 a minute must show: two workers count by themselves, and a minute may end meanwhile.
GUESSES = 2 * 2 * 60 + 1

#: As many callers at once as the workers have threads.
CALLERS = 8

#: Seconds of the full form: longer than the limiter leaves a failed cache alone, so that each process meets the fault twice.
FULL = 12

#: All that is limited by default, but mints so rarely that a test mints freely.
LIMITED = json.dumps({"THROTTLE_RATES": {"create_session": "100000/min"}})

FAULTS: dict[str, Callable[[Redis], None]] = {"refused": Redis.stop, "hanging": Redis.hang}

#: Calls that the limiter counts, and calls made beside them that it does not.
Visit = tuple[list[Answer], list[Answer]]


@pytest.fixture
def redis() -> Iterator[Redis]:
    with redis_server() as server:
        yield server


def guess_token() -> str:
    return tokens.mint(tokens.ACCESS_TOKEN)


def visit(host: Host) -> Visit:
    """Make every call that counts something, and some that do not; assert that each is answered as without a fault."""
    client, browser = host.client(), host.browser()
    minted, second = client.mint(), client.mint()
    exchanged = client.exchange(second.secret)
    landing, entered = browser.open(minted.secret), browser.press()
    session, page = client.session(exchanged.secret), browser.get("/my-portal/session/")
    ended = client.end(exchanged.secret)
    uncounted = [exchanged, landing, entered, session, page, ended]
    assert [answer.status for answer in uncounted] == [200, 200, 303, 200, 200, 200]
    bad = [
        client.session(exchanged.secret),
        client.session(guess_token()),
        client.call("exchangeSession", {"sessionId": tokens.mint(tokens.EXCHANGE_CODE)}),
    ]
    assert {answer.status for answer in bad} <= {401, 429}
    return [minted, second, *bad], uncounted


def warm(host: Host) -> None:
    """Visit until each worker has answered: first calls are slow, and calls in turn may all reach the same one."""
    with ThreadPoolExecutor(4) as callers:
        for visited in [callers.submit(visit, host) for _ in range(12)]:
            visited.result()


def repeat(call: Callable[[], Visit], seconds: float) -> list[Visit]:
    moment, visits = time.monotonic() + seconds, [call()]
    while time.monotonic() < moment:
        visits.append(call())
    return visits


def assert_little_is_added(visits: list[Visit]) -> None:
    """Assert that counted calls took little more than the others, which a busy machine delays as well."""
    counted, uncounted = (max(answer.seconds for one in visits for answer in one[part]) for part in (0, 1))
    print(f"slowest of the counted calls: {counted:.3f} s; of the others: {uncounted:.3f} s")
    assert counted - uncounted < ADDED


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@forms("seconds", short=1, full=FULL)
def test_f12_nobody_notices(hosts: Hosts, redis: Redis, fault: Callable[[Redis], None], seconds: int) -> None:
    with hosts.serving(CACHE_URL=redis.url, FAULT_PORTAL=LIMITED) as host:
        warm(host)
        assert redis.command("KEYS", "*")
        fault(redis)
        assert_little_is_added(repeat(lambda: visit(host), seconds))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@forms("seconds", short=1, full=FULL)
def test_f12_each_process_limits_by_itself(
    hosts: Hosts, redis: Redis, fault: Callable[[Redis], None], seconds: int
) -> None:
    with hosts.serving(CACHE_URL=redis.url, FAULT_PORTAL=LIMITED) as host, ThreadPoolExecutor(CALLERS) as threads:
        token = host.client().exchange(host.mint()).secret

        def guess() -> Visit:
            client = host.client(address="127.0.0.2")
            return [client.session(guess_token())], [client.session(token)]

        def guess_together(seconds: float) -> list[Visit]:
            running = [threads.submit(repeat, guess, seconds) for _ in range(CALLERS)]
            return [one for visits in running for one in visits.result(timeout=60)]

        guess_together(1)
        fault(redis)
        assert_little_is_added(guess_together(seconds))
        guesser = host.client(address="127.0.0.3")
        statuses = [guesser.session(guess_token()).status for _ in range(GUESSES)]
        assert statuses[:60] == [401] * 60
        assert set(statuses) == {401, 429}
        # A good code from the very address that guessed.
        assert guesser.exchange(host.mint()).status == 200
