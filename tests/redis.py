"""A real Redis of a test's own, on a free port of the loopback interface."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.projects import free_port


class Redis:
    def __init__(self, program: str, port: int) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp")
        for _ in range(200):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError("redis-server did not start.")

    def command(self, *words: str) -> str:
        """Return what Redis answers, by its plain protocol: the words of the answer, one a line."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=5)) as connection:
            connection.sendall((" ".join(words) + "\r\n").encode())
            lines = connection.recv(65536).decode().split("\r\n")
        return "\n".join(re.sub(r"^:(-?\d+)$", r"\1", line) for line in lines if line and line[0] not in "*$")

    def hang(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.wake()
        self._process.kill()
        self._process.wait(timeout=10)


@contextmanager
def redis_server() -> Iterator[Redis]:
    program = shutil.which("redis-server")
    assert program, "These tests need redis-server: apt-get install redis-server"
    server = Redis(program, free_port())
    try:
        yield server
    finally:
        server.stop()
