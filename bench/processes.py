"""A gunicorn of the bench's own, and what it and PostgreSQL spend."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .client import Sent
from .rows import Row

__all__ = ["ROOT", "Server", "running", "seconds_of_children", "serving"]

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
START_SECONDS = 60
_TICK = os.sysconf("SC_CLK_TCK")


def seconds_of_children(pid: int) -> float:
    """Return the CPU seconds that the living children of a process have spent so far."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    spent = 0
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):
            # The name is in brackets and may hold spaces; user and system time are the 12th and 13th field after it.
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            spent += int(fields[11]) + int(fields[12])
    return spent / _TICK


@dataclass(frozen=True)
class Server:
    """A running gunicorn.

    :param sent: a request that it lets in.
    """

    pid: int
    port: int
    sent: Sent

    @property
    def url(self) -> str:
        """The address of the request."""
        return f"http://127.0.0.1:{self.port}{self.sent.path}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        typed = {} if self.sent.bodies is None else {"Content-Type": self.sent.content_type}
        return {**typed, **self.sent.headers}

    def ask(self) -> int:
        """Send the request and return the status."""
        body = None if self.sent.bodies is None else self.sent.bodies()
        with urllib.request.urlopen(urllib.request.Request(self.url, body, self.headers), timeout=10) as answer:
            return int(answer.status)


@contextmanager
def serving(row: Row) -> Iterator[Server]:
    """Serve a row with two sync workers until the block ends."""
    # With an empty configuration, or gunicorn takes the project's own gunicorn.conf.py.
    arguments = ["--config", "python:bench", "--workers", str(WORKERS), "bench.wsgi"]
    with running(arguments, {"BENCH_ROW": row.name}, row.credential()) as server:
        yield server


@contextmanager
def running(arguments: Iterable[str], environment: Mapping[str, str], sent: Sent) -> Iterator[Server]:
    """Run a gunicorn until the block ends.

    :param environment: what its processes have beside this one's.
    :param sent: a request that it lets in; the block begins when it has.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(process.terminate)
    try:
        server = Server(process.pid, port, sent)
        _wait_for(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "gunicorn ended"
        try:
            assert server.ask() == 200
            return
        except OSError:
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
