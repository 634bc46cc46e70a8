"""The real servers that the browser visits, and what a test asks them behind the browser's back."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

ROOT = Path(__file__).resolve().parents[2]
#: The portal that the demo makes, and the one that the product on another origin uses.
DEMO, ACME = "my-portal", "acme"

# No proxy: everything here is on this machine.
_open = build_opener(ProxyHandler({})).open


@dataclass(frozen=True)
class Demo:
    """The running demo. ``link`` is the one it printed when it started."""

    url: str
    database: Path
    root_key: str
    link: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], url: str, log: Path, **variables: str) -> Iterator[None]:
    """Run a server in a process group of its own until the block ends; enter the block when ``url`` answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(url, process, log)
        yield
    finally:
        # The group, because the autoreloader serves from a child; at once, because the leader may be gone already.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what would change the demo."""
    ours = {"DEBUG", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "ALLOWED_HOSTS", "CACHE_URL", "PORTAL_BASE_URL", "RUN_MAIN"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1", "DEBUG": "1", **variables}


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), closing(_open(url, timeout=5)):
            return
        time.sleep(0.1)
    raise AssertionError(f"The server at {url} did not start:\n{log.read_text()}")


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """Run ``manage.py demo`` on a fresh database."""
    port, log, database = free_port(), folder / "demo.log", folder / "demo.sqlite3"
    url = f"http://127.0.0.1:{port}"
    command = ["manage.py", "demo", "--noreload", "--port", str(port)]
    with running(command, f"{url}/", log, DATABASE_URL=f"sqlite:///{database}"):
        printed = log.read_text()
        link = re.search(rf"{url}/{DEMO}/\?session=\S+", printed)
        root_key = re.search(r"Bearer (prk_\w+)", printed)
        assert link, printed
        assert root_key, printed
        yield Demo(url, database, root_key[1], link[0])


def manage(at: Demo, *arguments: str) -> None:
    """Run a management command on the demo's database."""
    variables = environment(DATABASE_URL=f"sqlite:///{at.database}")
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def call(at: Demo, operation: str, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Call the portal's API and return status and answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{at.url}/v2/portal.{operation}", json.dumps(body).encode(), headers)
    try:
        with closing(_open(request, timeout=10)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def mint(at: Demo, external_id: str = "user_123", slug: str = DEMO, **members: Any) -> str:
    """Return a fresh link, as a host's backend gets it."""
    body = {"slug": slug, "externalId": external_id, "permissions": ["api.*.read_key"], **members}
    status, answer = call(at, "createSession", at.root_key, body)
    assert status == 200, answer
    return str(answer["data"]["url"])


def is_live(at: Demo, token: str) -> bool:
    """Say whether the server still knows this access token."""
    status, answer = call(at, "getSession", token, {})
    assert status in {200, 401}, answer
    return status == 200


def code_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["session"][0]


def exchanges(at: Demo, link: str) -> int:
    """Return how many times the link's code was spent, as the audit trail has it."""
    query = """
        SELECT count(*) FROM portal_portalevent AS event JOIN portal_portalsession AS session
        ON event.session_id = session.public_id WHERE event.kind = 'session.exchanged' AND session.code_hash = ?
    """
    with closing(sqlite3.connect(at.database, timeout=10)) as connection:
        return int(connection.execute(query, [hashlib.sha256(code_of(link).encode()).digest()]).fetchone()[0])
