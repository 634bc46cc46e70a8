"""Work on many rows in batches: how many rows a transaction changes, and what lies between two of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connections, models, router

__all__ = ["DEFAULT_BATCH", "add_batch_option", "batch_size", "until_none"]

#: Where the database is not SQLite, and a command has no number of its own.
DEFAULT_BATCH = 5000
# SQLite stops every other writer while a batch runs, so its batches are small.
_SQLITE_BATCH = 250
#: Lets a writer in between two batches; on SQLite there is one at a time.
PAUSE_SECONDS = 0.005


def add_batch_option(parser: CommandParser, *, elsewhere: int = DEFAULT_BATCH, what: str = "batch") -> None:
    """Add ``--batch``.

    :param elsewhere: rows a batch by default, where the database is not SQLite.
    :param what: what the help calls a batch.
    """
    text = f"rows a {what}; {_SQLITE_BATCH} on SQLite, {elsewhere} elsewhere"
    parser.add_argument("--batch", type=int, metavar="N", help=text)


def batch_size(options: Mapping[str, Any], model: type[models.Model], *, elsewhere: int = DEFAULT_BATCH) -> int:
    """Return how many rows a batch has: as ``--batch`` says, or by the kind of the database that ``model`` is written to.

    :raises CommandError: ``--batch`` is less than 1.
    """
    batch: int | None = options["batch"]
    if batch is None:
        return _SQLITE_BATCH if connections[router.db_for_write(model)].vendor == "sqlite" else elsewhere
    if batch < 1:
        raise CommandError("--batch must be 1 or more.")
    return batch


def until_none(batch: Callable[[], int]) -> int:
    """Run batch after batch until one has found nothing, and return of how many rows they were together.

    :param batch: works on some rows in a transaction of its own, and returns how many they were.
    """
    total = 0
    while taken := batch():
        total += taken
        time.sleep(PAUSE_SECONDS)
    return total
