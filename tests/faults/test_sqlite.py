"""Faults of one file with one write lock (security F8, F9 and F10)."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.faults.answers import Answer
from tests.faults.databases import Sqlite
from tests.faults.forms import forms, sqlite_only
from tests.faults.hosts import Host, Hosts

pytestmark = sqlite_only


class Writers:
    """A mint, an exchange and a form, to be sent at the same time and sent again.

    Three, because a worker has four threads and takes connections beyond them: if writers had all four, reads would wait.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._code = host.mint()
        self._browser = host.browser()
        assert self._browser.open(host.mint()).status == 200

    def start(self, threads: ThreadPoolExecutor) -> dict[str, Future[Answer]]:
        client = self._host.client()
        return {
            "mint": threads.submit(client.mint),
            "exchange": threads.submit(client.exchange, self._code),
            "enter": threads.submit(self._browser.press),
        }


def statuses(calls: dict[str, Future[Answer]]) -> dict[str, int]:
    return {name: call.result(timeout=60).status for name, call in calls.items()}


SUCCESS = {"mint": 200, "exchange": 200, "enter": 303}
UNAVAILABLE = dict.fromkeys(SUCCESS, 503)


class Reader:
    """Somebody who is inside already and only looks."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._browser = host.browser()
        self._browser.open(host.mint())
        self._token = self._browser.press().secret
        self._code = host.mint()

    def assert_served(self) -> None:
        client = self._host.client()
        answers = [
            client.session(self._token),
            client.list_keys(self._token),
            self._browser.get("/my-portal/session/"),
            self._host.browser().open(self._code),
        ]
        assert [answer.status for answer in answers] == [200] * len(answers)
        assert max(answer.seconds for answer in answers) < 1


@forms("seconds", short=1, full=3)
def test_f8_writers_wait_for_a_lock(hosts: Hosts, seconds: int) -> None:
    with hosts.serving() as host, ThreadPoolExecutor(3) as threads:
        writers = Writers(host)
        with hosts.database.locked():
            calls = writers.start(threads)
            time.sleep(seconds)
            assert not any(call.done() for call in calls.values())
        assert statuses(calls) == SUCCESS
        assert min(call.result().seconds for call in calls.values()) >= seconds - 0.1


@forms("seconds", short=0, full=60)
def test_f9_writers_give_up_and_readers_go_on(hosts: Hosts, seconds: int) -> None:
    """The short form holds the lock until the writers have given up once."""
    with hosts.serving() as host, ThreadPoolExecutor(3) as threads:
        writers, reader = Writers(host), Reader(host)
        with hosts.database.locked():
            release = time.monotonic() + seconds
            while True:
                calls = writers.start(threads)
                while not all(call.done() for call in calls.values()):
                    reader.assert_served()
                    time.sleep(0.2)
                assert statuses(calls) == UNAVAILABLE
                assert max(call.result().seconds for call in calls.values()) <= 10
                if time.monotonic() >= release:
                    break
        assert statuses(writers.start(threads)) == SUCCESS


@contextmanager
def no_page_left(host: Host, database: Sqlite) -> Iterator[None]:
    """Let the database have as many pages as it has."""
    host.set_pages(database.query("PRAGMA page_count")[0][0])
    yield
    host.set_pages(None)


@contextmanager
def no_larger_files(host: Host, database: Sqlite) -> Iterator[None]:
    """Let the workers write no file beyond 36 KiB: the write-ahead log's index of 32 KiB, and nearly nothing of the log.

    Not less: without room for the index nobody can read either, unless another connection holds the database open.
    """
    workers = host.workers()
    for worker in workers:
        _, highest = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (36 * 1024, highest))
    yield
    for worker in workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (highest, highest))


DISKS: dict[str, Callable[[Host, Sqlite], AbstractContextManager[None]]] = {
    "no page left": no_page_left,
    "no larger files": no_larger_files,
}


@pytest.mark.parametrize("disk", DISKS.values(), ids=DISKS)
@forms("rounds", short=1, full=5)
def test_f10_a_full_disk(
    hosts: Hosts, disk: Callable[[Host, Sqlite], AbstractContextManager[None]], rounds: int
) -> None:
    database = hosts.database
    with hosts.serving() as host:
        reader = Reader(host)
        client = host.client()
        for _ in range(rounds):
            codes = [host.mint() for _ in range(60)]
            with disk(host, database):
                # What is left of the last pages is used up first.
                mints = [client.mint().status for _ in codes]
                exchanges = [client.exchange(code).status for code in codes]
                assert mints[-20:] == exchanges[-20:] == [503] * 20
                reader.assert_served()
            refused = [code for code, status in zip(codes, exchanges, strict=True) if status == 503]
            assert {client.exchange(code).status for code in refused} == {200}
            assert client.mint().status == 200
            assert database.query("PRAGMA integrity_check") == [("ok",)]
        sessions = database.query("SELECT count(*) FROM portal_portalsession")[0][0]
        assert sessions == host.record.statuses("createSession")[200]
