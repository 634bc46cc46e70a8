"""The short form of a fault, which every test run makes, and the full one of ``make faults``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.databases import KIND

#: Faults that only one of the databases can have.
sqlite_only = pytest.mark.skipif(KIND != "sqlite", reason="A fault of SQLite: it has one write lock and one file.")
postgres_only = pytest.mark.skipif(KIND != "postgres", reason="A fault of a database server, which SQLite has none of.")


def forms(name: str, *, short: Any, full: Any) -> pytest.MarkDecorator:
    """Run a test with ``name`` = ``short`` in every test run, and with ``full`` in ``make faults``."""
    return pytest.mark.parametrize(name, [short, pytest.param(full, marks=pytest.mark.faults)])
