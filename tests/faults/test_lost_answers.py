"""The answer gets lost on its way (security F3; design decision 6)."""

from __future__ import annotations

import pytest

from tests.faults.answers import LOST, Answer
from tests.faults.forms import forms
from tests.faults.hosts import RETURN_URL, Host, Hosts
from tests.faults.proxy import Proxy, proxy, up_to

#: Where the line breaks: which direction, and after how many bytes.
WHILE_ANSWERING = {"no answer": ("answer", 0), "half a status line": ("answer", 10)}
WHILE_ASKING = {"no request": ("request", 0), "half a line": ("request", 9), "half the headers": ("request", 150)}


def break_line(line: Proxy, place: tuple[str, int]) -> None:
    direction, limit = place
    setattr(line, direction, up_to(limit))


def exchanged(host: Host) -> int:
    return int(host.database.query("SELECT count(*) FROM portal_portalsession WHERE token_hash IS NOT NULL")[0][0])


def assert_dead_link(answer: Answer) -> None:
    assert answer.status == 401
    assert "This link no longer works" in answer.text
    assert f'href="{RETURN_URL}"' in answer.text


@pytest.mark.parametrize("place", WHILE_ANSWERING.values(), ids=WHILE_ANSWERING)
@forms("rounds", short=2, full=25)
def test_f3_the_same_browser_is_answered_again(hosts: Hosts, place: tuple[str, int], rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        for number in range(1, rounds + 1):
            code = host.mint()
            browser = host.browser(port=line.port, may_lose=True)
            assert browser.open(code).status == 200
            break_line(line, place)
            assert browser.press().status == LOST
            line.heal()
            assert exchanged(host) == number
            # A stranger who has the link, and an API client, get nothing in the meantime.
            stranger = host.browser()
            assert_dead_link(stranger.open(code))
            assert host.client().exchange(code).status == 401
            # By the button again, and by the link again.
            assert browser.open(code).status == 200
            again = browser.press()
            assert again.status == 303
            assert host.client().session(again.secret).status == 200
            assert browser.open(code).status == 303
        assert exchanged(host) == rounds
        assert line.cuts == rounds


@forms("rounds", short=1, full=10)
def test_f3_for_a_minute_and_to_nobody_else(hosts: Hosts, rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        for _ in range(rounds):
            host.set_clock(0)
            code = host.mint()
            browser, stranger = host.browser(port=line.port, may_lose=True), host.browser()
            for each in (browser, stranger):
                assert each.open(code).status == 200
            break_line(line, ("answer", 0))
            assert browser.press().status == LOST
            line.heal()
            assert_dead_link(stranger.press())
            host.set_clock(58)
            token = browser.press().secret
            assert token
            del browser.cookies["portal_session"]
            host.set_clock(61)
            assert_dead_link(browser.press())
            assert_dead_link(browser.open(code))
            assert host.client().session(token).status == 200


@pytest.mark.parametrize("place", WHILE_ASKING.values(), ids=WHILE_ASKING)
@forms("rounds", short=2, full=25)
def test_f3_a_request_that_never_arrived_spends_nothing(hosts: Hosts, place: tuple[str, int], rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        for number in range(rounds):
            code, other = host.mint(), host.mint()
            browser = host.browser(port=line.port, may_lose=True)
            assert browser.open(code).status == 200
            break_line(line, place)
            assert browser.press().status == LOST
            assert host.client(port=line.port, may_lose=True).exchange(other).status == LOST
            assert exchanged(host) == 2 * number
            line.heal()
            assert browser.press().status == 303
            assert host.client().exchange(other).status == 200


@pytest.mark.parametrize("place", WHILE_ANSWERING.values(), ids=WHILE_ANSWERING)
@forms("rounds", short=2, full=25)
def test_f3_the_json_exchange_is_strictly_once(hosts: Hosts, place: tuple[str, int], rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        for number in range(1, rounds + 1):
            code = host.mint()
            break_line(line, place)
            assert host.client(port=line.port, may_lose=True).exchange(code).status == LOST
            line.heal()
            assert exchanged(host) == number
            again = host.client().exchange(code)
            assert (again.status, again.error) == (401, "portal_session_not_found")
            assert_dead_link(host.browser().open(code))
