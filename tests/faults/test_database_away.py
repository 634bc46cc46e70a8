"""The database refuses before anything is committed (security F4), and is restarted (F7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults.clients import Client
from tests.faults.databases import Postgres, Sqlite
from tests.faults.forms import forms, postgres_only, sqlite_only
from tests.faults.hosts import Host, Hosts
from tests.faults.proxy import Proxy, proxy, until, up_to

#: Makes the fault until the block ends.
Fault = Callable[[], AbstractContextManager[None]]


@contextmanager
def refusing(line: Proxy) -> Iterator[None]:
    line.refuse()
    yield
    line.heal()


@contextmanager
def hanging_up(line: Proxy) -> Iterator[None]:
    """Take connections, open ones too, and cut each at its first byte."""
    line.request = up_to(0)
    yield
    line.heal()


@contextmanager
def cutting_before(line: Proxy, statement: bytes) -> Iterator[None]:
    """Cut a connection when it sends ``statement``, so that the database never sees it."""
    before = line.cuts
    line.request = until(statement)
    yield
    assert line.cuts > before, "The statement never came."
    line.heal()


@contextmanager
def file_away(database: Sqlite) -> Iterator[None]:
    """Put the file aside, and something in its place that cannot be opened."""
    aside: Path = database.path.rename(database.path.with_suffix(".aside"))
    database.path.mkdir()
    yield
    database.path.rmdir()
    aside.rename(database.path)


@contextmanager
def host_before_database(hosts: Hosts) -> Iterator[tuple[Host, Proxy]]:
    """Serve a host whose way to PostgreSQL leads through a proxy."""
    assert isinstance(hosts.database, Postgres)
    with (
        proxy(hosts.database.server.socket) as line,
        hosts.serving(**hosts.database.variables(port=line.port)) as host,
    ):
        yield host, line


def assert_nothing_works_until_it_is_back(host: Host, fault: Fault, rounds: int) -> None:
    """Assert 503 for every call under ``fault`` and that each works at its first repetition, without a restart."""
    for _ in range(rounds):
        client, browser, inside = host.client(), host.browser(), host.browser()
        inside.open(host.mint())
        token = inside.press().secret
        code, other = host.mint(), host.mint()
        assert browser.open(code).status == 200
        with fault():
            answers = {
                "mint": client.mint(),
                "exchange": client.exchange(other),
                "session": client.session(token),
                "list": client.list_keys(token),
                "end": client.end(token),
                "landing": host.browser().open(other),
                "enter": browser.press(),
                "page": inside.get("/my-portal/session/"),
            }
            assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 503)
        assert browser.press().status == 303
        assert client.exchange(other).status == 200
        assert inside.get("/my-portal/session/").status == 200
        assert client.session(token).status == 200
        assert client.list_keys(token).status == 200
        assert client.mint().status == 200
        assert client.end(token).status == 200


@postgres_only
@pytest.mark.parametrize("how", [refusing, hanging_up])
@forms("rounds", short=1, full=10)
def test_f4_a_database_that_refuses(
    hosts: Hosts, how: Callable[[Proxy], AbstractContextManager[None]], rounds: int
) -> None:
    with host_before_database(hosts) as (host, line):
        assert_nothing_works_until_it_is_back(host, lambda: how(line), rounds)


@sqlite_only
@forms("rounds", short=1, full=10)
def test_f4_a_file_that_cannot_be_opened(hosts: Hosts, rounds: int) -> None:
    database = hosts.database
    with hosts.serving() as host:
        assert_nothing_works_until_it_is_back(host, lambda: file_away(database), rounds)


#: Statements of an exchange, and of a mint, before which the connection dies.
STATEMENTS = [b'UPDATE "portal_portalsession"', b'INSERT INTO "portal_portalevent"', b"COMMIT"]


@postgres_only
@pytest.mark.parametrize("statement", STATEMENTS, ids=["update", "insert", "commit"])
@forms("rounds", short=1, full=10)
def test_f4_a_connection_that_dies_before_the_commit(hosts: Hosts, statement: bytes, rounds: int) -> None:
    with host_before_database(hosts) as (host, line):
        for _ in range(rounds):
            by_json, by_form = host.mint(), host.mint()
            browser = host.browser()
            assert browser.open(by_form).status == 200
            with cutting_before(line, statement):
                assert browser.press().status == 503
                # In the API an exchange and a mint are one statement each, which needs no COMMIT; a mint has no UPDATE.
                if statement != b"COMMIT":
                    assert host.client().exchange(by_json).status == 503
                    assert host.client().mint().status == (200 if statement.startswith(b"UPDATE") else 503)
            assert host.client().exchange(by_json).status == 200
            assert browser.press().status == 303
        exchanged = host.database.query("SELECT count(*) FROM portal_portalsession WHERE token_hash IS NOT NULL")
        assert exchanged == [(2 * rounds,)]


@postgres_only
@forms("rounds", short=3, full=25)
def test_f4_connections_that_died_while_nobody_called(hosts: Hosts, rounds: int) -> None:
    """The first call afterwards already succeeds: connections are kept, and looked at before they are used again."""
    with host_before_database(hosts) as (host, line):
        for _ in range(rounds):
            codes = [host.mint() for _ in range(4)]
            line.refuse()
            line.heal()
            assert [host.client().exchange(code).status for code in codes] == [200] * 4


CLIENTS = 8


class Caller:
    """Mints, exchanges and asks, again and again. A code is tried until somebody says yes or no."""

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self._name = f"user_{number}"
        self.successes: list[float] = []

    def call_until(self, done: threading.Event) -> None:
        while not done.is_set():
            minted = self._client.mint(self._name)
            if minted.status == 503:
                time.sleep(0.02)
                continue
            while (answer := self._client.exchange(minted.secret)).status == 503 and not done.is_set():
                time.sleep(0.02)
            if answer.status == 200 and self._client.session(answer.secret).status == 200:
                self.successes.append(time.monotonic())


@postgres_only
@forms("seconds", short=1, full=5)
def test_f7_a_restart_under_eight_clients(hosts: Hosts, seconds: int) -> None:
    database = hosts.database
    assert isinstance(database, Postgres)
    done = threading.Event()
    with hosts.serving() as host, ThreadPoolExecutor(CLIENTS) as threads:
        callers = [Caller(host.client(), number) for number in range(CLIENTS)]
        running = [threads.submit(caller.call_until, done) for caller in callers]
        try:
            started = time.monotonic()
            while not all(caller.successes for caller in callers):
                assert time.monotonic() < started + 30, "Not all clients are in within 30 seconds."
                time.sleep(0.01)
            database.server.stop()
            stopped = time.monotonic()
            time.sleep(seconds)
            returning = time.monotonic()
            database.server.start()
            while any(not caller.successes or caller.successes[-1] < returning for caller in callers):
                assert time.monotonic() < returning + 5, "Not back within 5 seconds."
                time.sleep(0.01)
            time.sleep(0.5)
        finally:
            done.set()
            database.server.start()
        for call in running:
            call.result(timeout=30)

        back = [min(moment for moment in caller.successes if moment > returning) for caller in callers]
        print(f"first 200 after the return: {min(back) - returning:.2f} to {max(back) - returning:.2f} s")
        # Every client was inside before, none succeeded while it was away.
        assert all(min(caller.successes) < stopped for caller in callers)
        assert not [moment for caller in callers for moment in caller.successes if stopped < moment < returning]
        record = host.record
        assert set(record.statuses("createSession")) == {200, 503}
        assert set(record.statuses("getSession")) <= {200, 503}
        # 401: a commit whose answer was lost, which the history accounts for.
        assert set(record.statuses("exchangeSession")) <= {200, 401, 503}
        sessions = "SELECT count(*), count(token_hash) FROM portal_portalsession"
        [(minted, exchanged)] = database.query(sessions)
        known, unknown = record.statuses("createSession")[200], record.statuses("createSession")[503]
        assert known <= minted <= known + unknown
        lost = record.statuses("exchangeSession")[401]
        assert exchanged == record.statuses("exchangeSession")[200] + lost
        assert lost <= CLIENTS
