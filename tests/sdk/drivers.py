"""The processes that run Unkey's clients, one a language and release of Python's: a question a line, an answer a line."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from .clients import JS, Client

HERE = Path(__file__).parent
FOLDER = HERE / "js"
#: Where "make install" puts the second release of the Python client, which has the first one's import name.
SECOND_PYTHON = Path(sys.prefix) / "sdk"

Ask = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def driver(*command: str) -> Iterator[Ask]:
    """Run ``command``; what is asked it answers."""
    # The clients take a root key from there where they are given none.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNKEY_")}
    with subprocess.Popen(
        command, cwd=HERE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(question: dict[str, Any]) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, f"{command} ended with {process.wait()}; its last words are in the captured output."
            answer: dict[str, Any] = json.loads(line)
            return answer

        yield ask


def command_of(client: Client) -> tuple[str, ...]:
    """Return the command of a client's driver, with what it drives installed."""
    if client.name == JS:
        return (node(), "js/call.mjs")
    if client.version == version("unkey-py"):
        return (sys.executable, "py/call.py")
    if not SECOND_PYTHON.is_dir():
        pytest.fail(f"{SECOND_PYTHON.name}/ is missing in the environment: make install.", pytrace=False)
    return (sys.executable, "py/call.py", str(SECOND_PYTHON))


def node() -> str:
    """Return the path of node, with all releases of the client installed beside its driver."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail("Node.js is missing: apt-get install nodejs npm, or leave out tests/sdk.", pytrace=False)
    # The processes that share the tests share this folder.
    with (FOLDER / "package.json").open() as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        wanted = json.load(manifest)["dependencies"]
        if any(installed(name) != release.rpartition("@")[2] for name, release in wanted.items()):
            options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
            done = subprocess.run(
                [npm, "install", *options], cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 0, done.stderr
    return node


def installed(name: str) -> str | None:
    """Return the version of a package that npm has put there, None without it."""
    package = FOLDER / "node_modules" / name / "package.json"
    return json.loads(package.read_text())["version"] if package.is_file() else None
