"""A real host under fault: the demo project in production form, served by gunicorn's workers."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import operators
from tests.faults.clients import SLUG, Browser, Client
from tests.faults.databases import Database
from tests.faults.record import Record
from tests.projects import Project, answers, copy_project, free_port

RETURN_URL = "https://app.example.com/settings"


@dataclass(frozen=True, slots=True)
class Build:
    """A project with its static files and its migrated database, in which there are a portal and a root key.

    Made once, and copied for each test.
    """

    folder: Path
    database: Any
    root_key: str


def build(folder: Path, database: Any) -> Build:
    project = copy_project(folder, **_variables(database))
    shutil.copytree(Path(__file__).parent / "host", folder / "host", ignore=shutil.ignore_patterns("__pycache__"))
    project.manage("collectstatic", "--no-input", "-v0")
    project.manage("migrate", "-v0")
    project.manage(
        "portal_create_portal",
        SLUG,
        *("--name", "Northwind Maps"),
        *("--return-origin", "https://app.example.com", "--return-url", RETURN_URL),
    )
    project.variables["DJANGO_SUPERUSER_PASSWORD"] = operators.PASSWORD
    project.manage("createsuperuser", "--no-input", "--username", operators.NAME, "--email", "operator@example.com")
    root_key = json.loads(project.manage("portal_create_root_key", "Backend", "--json"))["key"]
    return Build(folder, database, root_key)


def _variables(database: Database) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "host.settings",
        "SECRET_KEY": "k" * 50,
        # A test of one fault is not throttled for its many failures; those about throttling set this again.
        "FAULT_PORTAL": json.dumps({"THROTTLE_RATES": None}),
        **database.variables(),
    }


class Host:
    """One server on a copy of the build. Its record may be shared with other servers of the same database."""

    def __init__(self, built: Build, folder: Path, database: Database, record: Record, **variables: str) -> None:
        shutil.copytree(built.folder, folder, ignore=shutil.ignore_patterns("*.sqlite3*"))
        self.folder = folder
        self.database = database
        self.record = record
        self.root_key = built.root_key
        self.port = free_port()
        self._log = Path()
        self._base = {"PORTAL_BASE_URL": f"http://127.0.0.1:{self.port}", **_variables(database), **variables}
        record.keep_secret(built.root_key)

    @contextmanager
    def serving(self, **variables: str) -> Iterator[Host]:
        """Serve until the block ends; then judge what holds after every fault, and say what was answered."""
        project = Project(self.folder, {**self._base, **variables})
        command = ("-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}")
        with project.serving(self.port, *command) as self._log:
            yield self
            # Read before the server is ended, which writes nothing more.
            workers = self.workers()
        # Workers outlive their master by a moment, and the next run needs the port.
        deadline = time.monotonic() + 10
        while answers(self.port):
            assert time.monotonic() < deadline, "A worker did not end."
            time.sleep(0.01)
        print(self.record.histogram())
        log = self.log()
        assert len(workers) == 2, f"A worker was lost: {log}"
        assert "WORKER TIMEOUT" not in log
        self.record.judge(log)

    @property
    def project(self) -> Project:
        """Return the project, for processes beside the server."""
        return Project(self.folder, self._base)

    def manage(self, *arguments: str) -> str:
        """Run a command of the project beside the server."""
        return self.project.manage(*arguments)

    def log(self) -> str:
        return self._log.read_text()

    def workers(self) -> list[int]:
        """Return the process ids of all workers that were ever started."""
        return [int(number) for number in re.findall(r"Booting worker with pid: (\d+)", self.log())]

    def client(self, **options: Any) -> Client:
        return Client(options.pop("port", self.port), self.record, self.root_key, **options)

    def browser(self, **options: Any) -> Browser:
        return Browser(options.pop("port", self.port), self.record, self.root_key, **options)

    def operator(self) -> operators.Operator:
        """Return an operator who has signed in to the admin."""
        operator = operators.Operator(self.port, self.record)
        operator.sign_in()
        return operator

    def mint(self, external_id: str = "user_123") -> str:
        """Return a fresh code; minting is not what is tested here."""
        answer = self.client().mint(external_id)
        assert answer.status == 200, answer
        return answer.secret

    def set_clock(self, seconds: float) -> None:
        """Let the server's clock be ahead by ``seconds``."""
        self._write("clock", str(seconds))

    def set_pages(self, pages: int | None) -> None:
        """Let the SQLite database not grow beyond ``pages``; None ends that."""
        self._write("pages", "" if pages is None else str(pages))

    def _write(self, name: str, content: str) -> None:
        # In one step, so that no request reads half a number.
        new = self.folder / f"{name}.new"
        new.write_text(content)
        new.replace(self.folder / name)


class Hosts:
    """Makes hosts for one test."""

    def __init__(self, built: Build, folder: Path) -> None:
        self._built = built
        self._folder = folder
        self._number = 0
        self.database = built.database.copy(folder)

    @contextmanager
    def serving(self, **variables: str) -> Iterator[Host]:
        """Serve one host until the block ends."""
        with self.make(**variables).serving() as host:
            yield host

    def make(self, record: Record | None = None, **variables: str) -> Host:
        """Return a host that does not serve yet; all hosts of a test have one database."""
        self._number += 1
        folder = self._folder / f"host-{self._number}"
        return Host(self._built, folder, self.database, record or Record(), **variables)

    @contextmanager
    def pair(self, **variables: str) -> Iterator[tuple[Host, Host]]:
        """Serve two hosts on one database, with one record."""
        record = Record()
        with ExitStack() as stack:
            first, second = (stack.enter_context(self.make(record, **variables).serving()) for _ in range(2))
            yield first, second
