"""Hosts to make faults on. Nothing here uses the test run's own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.databases import KIND, Postgres, PostgresServer, Sqlite
from tests.faults.hosts import Build, Hosts, build


@pytest.fixture(scope="session")
def faulty_server() -> Iterator[PostgresServer | None]:
    """Return a PostgreSQL of these tests alone, because they stop it; None on SQLite."""
    if KIND == "sqlite":
        yield None
        return
    server = PostgresServer()
    yield server
    server.delete()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, faulty_server: PostgresServer | None) -> Build:
    folder = tmp_path_factory.mktemp("faults") / "project"
    folder.mkdir()
    database: Any = Sqlite(folder / "db.sqlite3")
    if faulty_server is not None:
        database = Postgres(faulty_server, "faults_build")
        database.create()
    return build(folder, database)


@pytest.fixture
def hosts(built: Build, tmp_path: Path) -> Hosts:
    """Return what makes this test's hosts, on a fresh copy of the built database."""
    return Hosts(built, tmp_path)
