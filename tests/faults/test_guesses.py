"""Somebody guesses, ten thousand times (security F27; requirement 43)."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from portal import tokens
from tests.faults.clients import Client
from tests.faults.forms import forms
from tests.faults.hosts import Host, Hosts
from tests.redis import redis_server

LIMIT = 60
GUESSERS = 6

#: Megabytes by which a worker may grow: a tenth of what a kilobyte for each of 10,000 guesses and two workers would be.
FLAT = 5


def memory(host: Host) -> list[float]:
    """Return what each worker holds in memory, in megabytes."""
    found = [re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text()) for worker in host.workers()]
    return [int(match[1]) / 1024 for match in found if match]


def guess(client: Client, number: int) -> int:
    """Try a code, a token and a root key in turn."""
    if number % 3 == 0:
        return client.call("exchangeSession", {"sessionId": tokens.mint(tokens.EXCHANGE_CODE)}).status
    if number % 3 == 1:
        return client.session(tokens.mint(tokens.ACCESS_TOKEN)).status
    return client.call("createSession", {}, tokens.mint(tokens.ROOT_KEY)).status


def visit_until(host: Host, done: threading.Event, address: str) -> int:
    """Use good codes from ``address`` until ``done``, each with success, and return how many there were."""
    client, visits = host.client(address=address), 0
    while not done.is_set():
        code = host.mint()
        browser = host.browser(address=address)
        assert browser.open(host.mint()).status == 200
        assert browser.press().status == 303
        token = client.exchange(code).secret
        assert client.session(token).status == 200
        visits += 1
        time.sleep(0.05)
    return visits


@forms("guesses", short=600, full=10_000)
def test_f27_one_address_that_guesses(hosts: Hosts, guesses: int) -> None:
    done = threading.Event()
    # The visitors mint as often as they like.
    portal = json.dumps({"THROTTLE_RATES": {"create_session": None}})
    with (
        redis_server() as redis,
        hosts.serving(CACHE_URL=redis.url, FAULT_PORTAL=portal, FAULT_CACHE_SECONDS="10") as host,
        ThreadPoolExecutor(GUESSERS + 2) as threads,
    ):
        guesser = host.client(address="127.0.0.6")
        # From the guesser's own address too: only failures are counted, after they have happened.
        visitors = [threads.submit(visit_until, host, done, address) for address in ("127.0.0.7", "127.0.0.6")]
        try:
            for number in range(300):
                guess(host.client(address="127.0.0.8"), number)
            before, started = memory(host), time.time()
            shares = [
                threads.submit(
                    lambda share: [guess(guesser, number) for number in share], range(first, guesses, GUESSERS)
                )
                for first in range(GUESSERS)
            ]
            statuses = [status for share in shares for status in share.result(timeout=240)]
        finally:
            done.set()
        visits = [visitor.result(timeout=30) for visitor in visitors]
        grown = [after - earlier for after, earlier in zip(memory(host), before, strict=True)]
        minutes = int(time.time() // 60) - int(started // 60) + 1
        print(
            f"{statuses.count(401)} × 401, {statuses.count(429)} × 429 in {minutes} windows; visits beside: {visits}; "
            f"workers grew by {grown[0]:.2f} and {grown[1]:.2f} MB"
        )
        assert len(statuses) == guesses
        assert set(statuses) == {401, 429}
        assert LIMIT <= statuses.count(401) <= LIMIT * minutes
        assert min(visits) > 0
        assert max(grown) < FLAT


@forms("guesses", short=600, full=10_000)
def test_f27_ten_thousand_addresses_that_guess(hosts: Hosts, guesses: int) -> None:
    """Each guesses once, so none is refused; each process counts by itself, and must not keep what it counts for ever."""
    portal = json.dumps({"TRUSTED_PROXIES": 1})
    with hosts.serving(FAULT_PORTAL=portal) as host, ThreadPoolExecutor(GUESSERS) as threads:

        def guess_from(number: int) -> int:
            return guess(
                host.client(forwarded_for=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"), number
            )

        list(threads.map(guess_from, range(300)))
        before = memory(host)
        statuses = list(threads.map(guess_from, range(300, 300 + guesses)))
        grown = [after - earlier for after, earlier in zip(memory(host), before, strict=True)]
        print(f"workers grew by {grown[0]:.2f} and {grown[1]:.2f} MB")
        assert set(statuses) == {401}
        assert max(grown) < FLAT
