"""Does what a page of the documentation says, step by step and to the letter, in a folder of its own.

- ``sh`` blocks are run by bash; the folder and what was exported stay for the next block. A server goes on meanwhile.
- ``text`` after them is what they print, ``json`` the answer that they get; ``…`` stands for anything.
- ``prk_…`` in a command is the secret or id of that kind that was printed last: the reader pastes it.
- Files are written as the paragraph before a block says: Create, Add to the end of, Replace; or it is run in the shell.
- Prose is followed too, tables excepted: Open <…>, Press **…**, Enter `…` as **…**, Sign in as …, You see **…**.

What is replaced, and nothing else: port 8000 by a free one, virtual environments by the one of the tests, and
``pip install`` by looking whether it is installed there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from tests.docs.markdown import Step, steps
from tests.docs.visitor import Visitor
from tests.projects import answers

BASH = shutil.which("bash") or "/bin/bash"

_SERVERS = ("python manage.py runserver", "gunicorn ")
_PASTED = re.compile(r"(prk_|pst_|pat_|prt_|key_|sk_)…")
_CLONE = "/path/to/your/clone"
_WRITE = re.compile(r"(Create|Add to the end of|Replace) `([^`]+)`")
_SHELL = "`python manage.py shell`"
_PROSE = re.compile(
    r"[Oo]pen <(?P<open>http[^>]+)>"
    r"|[Pp]ress \*\*(?P<press>[^*]+)\*\*"
    r"|[Ee]nter `(?P<value>[^`]+)` as \*\*(?P<field>[^*]+)\*\*"
    r"|[Ss]ign in as `(?P<user>[^`]+)` with the password `(?P<password>[^`]+)`"
    r"|[Yy]ou see \*\*(?P<see>[^*]+)\*\*"
)
#: From here on a number is a time in Unix milliseconds, and no two runs have the same.
_TIME = 10**12


class Follower:
    """A reader with a terminal, an editor and a browser."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Bound for as long as this reader lives: the pages name the port long before its server starts, and others look for
        # free ports too. With this option a server may listen on it nevertheless.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port: int = self._reserved.getsockname()[1]
        self.visitor = Visitor()
        #: Everything that was printed, for pasting; and the last of it.
        self.heard: list[str] = []
        self.said = ""
        #: The blocks that a reader cannot run, by language: other tests look at them.
        self.left: list[Step] = []
        self._server: subprocess.Popen[bytes] | None = None
        self._command = ""
        self._cwd = folder
        self.environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "no_proxy": "127.0.0.1",
        }

    @property
    def site(self) -> str:
        return f"127.0.0.1:{self.port}"

    def copy(self, folder: Path) -> Follower:
        """Return a reader who stands where this one does, in a copy of everything."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("server.log"))
        other = Follower(folder)
        other.environment = dict(self.environment)
        other._cwd = folder / self._cwd.relative_to(self.folder)
        other.heard = list(self.heard)
        return other

    def follow(self, page: str) -> None:
        for step in steps(page):
            try:
                self.do(step)
            except Exception as error:
                raise AssertionError(f"docs/{step}: {error}\n{self._log()}") from error

    def close(self) -> None:
        self.stop()
        self._reserved.close()

    def stop(self) -> None:
        """Stop the server, as Control-C does."""
        if self._server is not None:
            # The group: gunicorn serves from children.
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(10)
            self._server = None

    def path(self, name: str) -> Path:
        return self._cwd / name

    def here(self, text: str) -> str:
        """Return ``text`` with this reader's port in place of the one that the pages name."""
        return text.replace("127.0.0.1:8000", self.site)

    # Steps -----------------------------------------------------------------------------------------------------------

    def do(self, step: Step) -> None:
        """Take one step of a page."""
        if step.language is None:
            if not step.text.startswith("|"):
                self._read(step.text)
        elif step.language == "sh":
            self.run(step.text)
        elif step.language == "text":
            assert says(self.here(step.text), self.said), f"It printed:\n{self.said}"
        elif step.language == "json":
            assert_like(json.loads(self.here(step.text)), json.loads(self.said))
        elif written := _WRITE.search(step.before):
            self._write(written[1], written[2], self.here(step.text))
        elif _SHELL in step.before:
            self.run(f"python manage.py shell <<'EOF'\n{step.text}EOF\n")
        else:
            self.left.append(step)

    def _read(self, text: str) -> None:
        for found in _PROSE.finditer(text):
            if found["open"]:
                self.visitor.open(self.here(found["open"]))
            elif found["press"]:
                self.visitor.press(found["press"])
            elif found["field"]:
                self.visitor.fill_in(found["field"], found["value"])
            elif found["user"]:
                self.visitor.sign_in(found["user"], found["password"])
            else:
                self.visitor.sees(self.here(found["see"]))
            self.heard.append(self.visitor.html)

    def _write(self, how: str, name: str, text: str) -> None:
        path = self.path(name)
        assert path.exists() == (how != "Create"), (
            f"{how} `{name}`, and that file {'is' if path.exists() else 'is not'} there"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        if how == "Add to the end of":
            text = f"{path.read_text()}\n{text}"
        path.write_text(text)
        if self._server is not None:
            # The development server reads changed files by itself; here it is started anew, which waits for it.
            self.stop()
            self._serve(self._command)

    def run(self, commands: str) -> None:
        """Run what stands in a terminal block."""
        lines = [line for line in self.here(self._paste(commands)).splitlines() if not self._is_installed(line)]
        script = "\n".join(lines)
        if script.startswith(_SERVERS):
            assert len(lines) == 1, "A server is started by a block of its own"
            self.stop()
            self._serve(script)
            return
        state = self.folder / ".state"
        done = subprocess.run(
            [
                BASH,
                "-euo",
                "pipefail",
                "-c",
                f"{script}\nexport -p > {shlex.quote(str(state))}\npwd >> {shlex.quote(str(state))}",
            ],
            cwd=self._cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        *exported, cwd = state.read_text().splitlines()
        self._cwd = Path(cwd)
        self.environment.update(
            (found[1], "".join(shlex.split(found[2])))
            for found in map(re.compile(r"declare -x ([A-Z_]+)=(.*)").match, exported)
            if found and found[1] not in {"OLDPWD", "PWD", "SHLVL", "PATH"}
        )
        self.said = done.stdout
        self.heard.append(done.stdout)

    def _paste(self, commands: str) -> str:
        def latest(placeholder: re.Match[str]) -> str:
            printed = re.findall(rf"\b{placeholder[1]}[0-9A-Za-z]{{22,49}}\b", "\n".join(self.heard))
            assert printed, f"Nothing printed a {placeholder[1]}…"
            return str(printed[-1])

        return _PASTED.sub(latest, commands)

    def _is_installed(self, line: str) -> bool:
        """Say whether the line is about the virtual environment; what it installs must be there."""
        if line.startswith(("python3 -m venv ", ". .venv/bin/activate", ". ../.venv/bin/activate")):
            return True
        if not line.startswith("pip install "):
            return False
        for requirement in shlex.split(line)[2:]:
            name, _, extra = requirement.replace(_CLONE, "django-customer-portal").rstrip("]").partition("[")
            for package in [name, *_extra(name, extra)]:
                try:
                    version(package)
                except PackageNotFoundError:
                    raise AssertionError(f"{package} is not installed where the tests run") from None
        return True

    def _serve(self, command: str) -> None:
        self._command = command
        actual = f"{command} --noreload {self.site}" if "runserver" in command else command
        with (self.folder / "server.log").open("wb") as log:
            self._server = subprocess.Popen(
                [BASH, "-c", f"exec {actual}"],
                cwd=self._cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while not answers(self.port):
            assert self._server.poll() is None, "The server ended"
            assert time.monotonic() < deadline, "The server does not answer"
            time.sleep(0.05)

    def _log(self) -> str:
        log = self.folder / "server.log"
        return f"The server's log:\n{log.read_text()}" if log.exists() else ""


def _extra(name: str, extra: str) -> list[str]:
    """Return the packages that the extra of a package adds."""
    if not extra:
        return []
    found = [row for row in requires(name) or [] if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", row)]
    assert found, f"{name} has no extra {extra}"
    return [re.split(r"[^\w.-]", row)[0] for row in found]


def says(expected: str, said: str) -> bool:
    """Say whether ``said`` is what the page shows; a line of ``…`` stands for any lines, ``…`` within one for anything."""
    pattern = "".join(
        "(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
        for line in expected.strip().splitlines()
    )
    return re.fullmatch(pattern, said.strip() + "\n") is not None


def assert_like(example: Any, actual: Any, where: str = "answer") -> None:
    """Compare an example with a live answer: same members, same types, same values but for ``…`` and times."""
    assert type(example) is type(actual), f"{where} is {actual!r}, not {example!r}"
    if isinstance(example, dict):
        assert set(example) == set(actual), f"{where} has {sorted(actual)}, not {sorted(example)}"
        for name, value in example.items():
            assert_like(value, actual[name], f"{where}.{name}")
    elif isinstance(example, list):
        assert len(example) == len(actual), f"{where} is {actual!r}, not {example!r}"
        for index, value in enumerate(example):
            assert_like(value, actual[index], f"{where}[{index}]")
    elif isinstance(example, str):
        assert says(example, actual), f"{where} is {actual!r}, not {example!r}"
    elif type(example) is int and example > _TIME:
        assert actual > _TIME, f"{where} is {actual!r}, which is no time in milliseconds"
    else:
        assert example == actual, f"{where} is {actual!r}, not {example!r}"
