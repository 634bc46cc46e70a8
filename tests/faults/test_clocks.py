"""Clocks that are wrong, by the app's one clock (security F14)."""

from __future__ import annotations

import pytest

from tests.faults.forms import forms
from tests.faults.hosts import Hosts

MINUTE, DAY = 60, 24 * 3600

#: Seconds that a round may take.
SLACK = 5


@pytest.mark.parametrize("jump", [10 * MINUTE, -10 * MINUTE])
@forms("rounds", short=1, full=10)
def test_f14_used_stays_used_when_the_clock_jumps(hosts: Hosts, jump: int, rounds: int) -> None:
    with hosts.serving() as host:
        client = host.client()
        for _ in range(rounds):
            host.set_clock(0)
            used, fresh = host.mint(), host.mint()
            browser, stranger = host.browser(), host.browser()
            by_form = host.mint()
            for each in (browser, stranger):
                assert each.open(by_form).status == 200
            token = client.exchange(used).secret
            assert browser.press().status == 303
            for now in (jump, 0, -jump, 0):
                host.set_clock(now)
                assert client.exchange(used).status == 401
                assert stranger.press().status == 401
                assert client.session(token).status == 200
            host.set_clock(jump)
            assert client.exchange(fresh).status == 200
            host.set_clock(DAY - SLACK)
            assert client.session(token).status == 200
            host.set_clock(DAY)
            assert client.session(token).status == 401


@pytest.mark.parametrize("apart", [60, -60, 90, -90])
@forms("rounds", short=1, full=10)
def test_f14_two_workers_whose_clocks_differ(hosts: Hosts, apart: int, rounds: int) -> None:
    """A fresh code is good at both, a used one at neither, and a session lives a day and the difference at most."""
    with hosts.pair() as (right, wrong):
        at_right, at_wrong = right.client(), wrong.client()
        for _ in range(rounds):
            right.set_clock(0)
            wrong.set_clock(apart)
            first, second = right.mint(), wrong.mint()
            tokens = [at_wrong.exchange(first).secret, at_right.exchange(second).secret]
            for client in (at_right, at_wrong):
                assert [client.session(token).status for token in tokens] == [200, 200]
                assert [client.exchange(code).status for code in (first, second)] == [401, 401]
            # Not with exchange(): the history knows no codes that run out.
            late = right.mint()
            wrong.set_clock(15 * MINUTE)
            assert at_wrong.call("exchangeSession", {"sessionId": late}).status == 401
            # A day later, at both workers.
            right.set_clock(DAY - abs(apart) - SLACK)
            wrong.set_clock(DAY - abs(apart) + apart - SLACK)
            for client in (at_right, at_wrong):
                assert [client.session(token).status for token in tokens] == [200, 200]
            right.set_clock(DAY + abs(apart))
            wrong.set_clock(DAY + abs(apart) + apart)
            for client in (at_right, at_wrong):
                assert [client.session(token).status for token in tokens] == [401, 401]
