"""An event that cannot be written (security F23; design decision 18)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.databases import KIND
from tests.faults.forms import forms
from tests.faults.hosts import Hosts

#: A constraint that no event fulfils, and its end.
CONSTRAINTS = {
    "sqlite": (
        "CREATE TRIGGER no_events BEFORE INSERT ON portal_portalevent BEGIN SELECT RAISE(ABORT, 'no events'); END",
        "DROP TRIGGER no_events",
    ),
    "postgres": (
        "ALTER TABLE portal_portalevent ADD CONSTRAINT no_events CHECK (false) NOT VALID",
        "ALTER TABLE portal_portalevent DROP CONSTRAINT no_events",
    ),
}


@contextmanager
def no_events(hosts: Hosts) -> Iterator[None]:
    make, undo = CONSTRAINTS[KIND]
    hosts.database.query(make)
    yield
    hosts.database.query(undo)


@forms("rounds", short=1, full=10)
def test_f23_without_its_event_nothing_happens(hosts: Hosts, rounds: int) -> None:
    sessions = "SELECT count(*), count(token_hash) FROM portal_portalsession"
    with hosts.serving() as host:
        client = host.client()
        for _ in range(rounds):
            by_json, by_form = host.mint(), host.mint()
            browser = host.browser()
            assert browser.open(by_form).status == 200
            before = hosts.database.query(sessions)
            with no_events(hosts):
                assert client.mint().status == 503
                assert client.exchange(by_json).status == 503
                assert browser.press().status == 503
            assert hosts.database.query(sessions) == before
            assert client.exchange(by_json).status == 200
            assert browser.press().status == 303


@forms("rounds", short=1, full=10)
def test_f23_but_a_session_ends(hosts: Hosts, rounds: int) -> None:
    with hosts.serving() as host:
        client = host.client()
        for _ in range(rounds):
            token = client.exchange(host.mint()).secret
            with no_events(hosts):
                assert client.end(token).status == 200
                assert client.session(token).status == 401
        assert "the event could not be written" in host.log()
