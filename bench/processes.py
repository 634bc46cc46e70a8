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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .client import Sent
from .rows import Row

__all__ = ["Server", "seconds_of_children", "serving"]

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


class Server:
    """A running gunicorn that serves one row.

    :param sent: a request that it lets in.
    """

    def __init__(self, pid: int, port: int, sent: Sent) -> None:
        self.pid, self.url, self.headers = pid, f"http://127.0.0.1:{port}{sent.path}", dict(sent.headers)

    def get(self) -> int:
        """Send the request and return the status."""
        with urllib.request.urlopen(urllib.request.Request(self.url, headers=self.headers), timeout=10) as answer:
            return int(answer.status)


@contextmanager
def serving(row: Row) -> Iterator[Server]:
    """Serve a row with two sync workers until the block ends."""
    sent = row.credential()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # With an empty configuration, or gunicorn takes the project's own gunicorn.conf.py.
    command = ["gunicorn", "--config", "python:bench", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "bench.wsgi"],
        cwd=ROOT,
        env={**os.environ, "BENCH_ROW": row.name},
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
            assert server.get() == 200
            return
        except OSError:
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
