"""A process dies, or loses its database, while it writes how often keys were used: nothing is ever counted twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.databases import Postgres
from tests.faults.forms import forms, postgres_only
from tests.faults.hosts import Host, Hosts
from tests.faults.proxy import Proxy, Rule, passing, proxy

MAKE = """
from django.db import transaction
from portal.contrib.keys.models import ApiKey
with transaction.atomic():
    print(ApiKey.objects.issue("sk", keyspace_id="ks_1", external_id="user_123", name="Key")[1])
"""

SETUP = """
import os, signal, sys
import django
django.setup()
from django.db import connection, transaction
from portal.contrib.keys.recorder import recorder
from portal.contrib.keys.verify import verify
secret, argument = sys.argv[1:]

def use(times):
    for _ in range(times):
        assert verify(secret).valid
"""


@pytest.fixture
def host(hosts: Hosts) -> Host:
    return hosts.make()


@pytest.fixture
def secret(host: Host) -> str:
    return host.manage("shell", "--no-imports", "-v0", "-c", MAKE).strip()


def counted(host: Host) -> int:
    return int(host.database.query("SELECT coalesce(sum(count), 0) FROM portal_keys_keyusage")[0][0])


def run(host: Host, script: str, secret: str, argument: str) -> subprocess.CompletedProcess[str]:
    return host.project.run("-c", SETUP + script, secret, argument)


# ---- the process is killed

KILLED = """
def disturb(execute, sql, parameters, many, context):
    if "keyusage" not in sql:
        return execute(sql, parameters, many, context)
    kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
    if argument == "before the statement":
        kill()
    answer = execute(sql, parameters, many, context)
    if argument == "before the commit":
        kill()
    transaction.on_commit(kill)
    return answer

use(3)
recorder.flush()
use(5)
with connection.execute_wrapper(disturb):
    recorder.flush()
"""

WRITTEN = {"before the statement": 0, "before the commit": 0, "after the commit": 5}


@pytest.mark.parametrize("place", WRITTEN)
def test_a_process_that_is_killed_in_a_flush_loses_what_it_had_not_written(host: Host, secret: str, place: str) -> None:
    assert run(host, KILLED, secret, place).returncode == -signal.SIGKILL
    assert counted(host) == 3 + WRITTEN[place]
    # Who writes next adds its own, and nothing of the dead.
    assert run(host, "use(2); recorder.flush()", secret, "").returncode == 0
    assert counted(host) == 3 + WRITTEN[place] + 2


BUSY = """
import logging
waits = logging.Handler(logging.WARNING)
waits.emit = lambda line: heard.append(line)
logging.getLogger("portal.keys").addHandler(waits)
total = 0
while True:
    use(4)
    total += 4
    print("used", total, flush=True)
    heard = []
    recorder.flush()
    if not heard:
        print("flushed", total, flush=True)
"""


@contextmanager
def busy(host: Host, secret: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that uses the key and flushes, again and again, until the block ends."""
    with path.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-c", SETUP + BUSY, secret, ""],
            cwd=host.folder,
            env=host.project.environment(),
            stdout=file,
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait(30)


def numbers(output: str) -> tuple[int, int]:
    """Return how many uses were surely written, and how many there were at most."""
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
    said = {word: int(number) for word, number in lines}
    # Four may have been used that it did not come to say.
    return said.get("flushed", 0), said.get("used", 0) + 4


@forms("rounds", short=2, full=50)
def test_processes_that_are_killed_at_any_moment_count_nothing_twice(host: Host, secret: str, rounds: int) -> None:
    dice = random.Random(rounds)
    surely = at_most = 0
    for _ in range(rounds):
        said = [host.folder / f"said-{number}" for number in range(2)]
        with ExitStack() as stack:
            children = [stack.enter_context(busy(host, secret, path)) for path in said]
            for child, path in zip(children, said, strict=True):
                while b"flushed" not in path.read_bytes():
                    assert child.poll() is None
                    time.sleep(0.01)
                # It works; from here on any moment is as good as another.
                time.sleep(dice.random() / 5)
                child.kill()
        for path in said:
            least, most = numbers(path.read_text())
            surely, at_most = surely + least, at_most + most
    print(f"{surely} <= {counted(host)} <= {at_most}")
    assert surely <= counted(host) <= at_most


# ---- the connection is lost

CUT = """
use(3)
recorder.flush()
connection.close()
use(1)
recorder.flush()
recorder.flush()
"""


def once(text: bytes) -> Rule:
    """Cut the connection before the first piece in which ``text`` comes, and no later one."""
    seen: list[bytes] = []

    def rule(piece: bytes, before: int) -> int:
        if text not in piece or seen:
            return len(piece)
        seen.append(piece)
        return 0

    return rule


def answer_to(text: bytes) -> tuple[Rule, Rule]:
    """Return rules that let the first ``text`` through and cut the connection before its answer."""
    state = {"asked": False, "cut": False}

    def request(piece: bytes, before: int) -> int:
        state["asked"] |= text in piece
        return len(piece)

    def answer(piece: bytes, before: int) -> int:
        if state["asked"] and not state["cut"]:
            state["cut"] = True
            return 0
        return len(piece)

    return request, answer


@contextmanager
def host_before_database(hosts: Hosts) -> Iterator[tuple[Host, Proxy]]:
    assert isinstance(hosts.database, Postgres)
    with proxy(hosts.database.server.socket) as line:
        yield hosts.make(**hosts.database.variables(port=line.port)), line


@postgres_only
@pytest.mark.parametrize(
    ("place", "total"),
    [("statement", 4), ("answer to the statement", 4), ("commit", 1), ("answer to the commit", 4)],
)
def test_a_connection_that_dies_in_a_flush(hosts: Hosts, place: str, total: int) -> None:
    """What surely failed is written the next time; a COMMIT that nobody answered is not repeated, whether it came or not."""
    with host_before_database(hosts) as (host, line):
        secret = host.manage("shell", "--no-imports", "-v0", "-c", MAKE).strip()
        text = b"COMMIT" if "commit" in place else b'INSERT INTO "portal_keys_keyusage"'
        line.request, line.answer = answer_to(text) if "answer" in place else (once(text), passing)
        done = run(host, CUT, secret, "")
        assert done.returncode == 0, done.stderr
        assert line.cuts == 1
        assert counted(host) == total
