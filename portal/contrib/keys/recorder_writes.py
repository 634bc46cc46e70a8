"""How what the recorder gathered reaches the tables: in batches, and without waiting for long."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, islice

from django.db import connections, models, router, transaction

from portal.models.insert import column

from .models import KeyUsage
from .models.usage import Count

__all__ = ["Row", "write_counts", "write_last_used"]

logger = logging.getLogger("portal.keys")

#: Rows a statement.
BATCH = 100
# In milliseconds: longer than the app's own writes take, and far shorter than a host's own timeouts. The flush runs in a
# request that happens to end, which must not wait for whoever holds a row.
_PATIENCE = 50

#: A row that was used: its model and its primary key.
Row = tuple[type[models.Model], int]


def write_counts(counts: dict[Count, int]) -> None:
    """Add ``counts`` to the table. What is left in the dictionary when this raises was surely not written.

    A batch is taken out before its COMMIT is sent: if the answer to that gets lost, nobody can say whether it was written,
    and nothing is ever counted twice.
    """
    using = router.db_for_write(KeyUsage)
    rows = iter(sorted(counts))
    while batch := {count: counts[count] for count in islice(rows, BATCH)}:
        try:
            with _impatience(using), transaction.atomic(using=using):
                _limit_waiting(using)
                KeyUsage.objects.using(using).add(batch)
                for count in batch:
                    del counts[count]
        except Exception:
            if not batch.keys() <= counts.keys():
                logger.warning("%d uses of keys may not be counted: the COMMIT failed.", sum(batch.values()))
            raise


def write_last_used(used: dict[Row, datetime]) -> None:
    """Move ``last_used_at`` of these rows forward. What is left in the dictionary when this raises was not written."""
    for model, batch in _batches(used):
        _move(model, batch)
        for pk in batch:
            del used[model, pk]


def _batches(used: dict[Row, datetime]) -> Iterator[tuple[type[models.Model], dict[int, datetime]]]:
    rows = sorted(used.items(), key=lambda item: (item[0][0]._meta.label, item[0][1]))
    for model, of_model in groupby(rows, key=lambda item: item[0][0]):
        while batch := {pk: moment for (_, pk), moment in islice(of_model, BATCH)}:
            yield model, batch


def _move(model: type[models.Model], batch: dict[int, datetime]) -> None:
    """Move each row to its own moment, in one statement. No other column changes.

    By hand, as CASE for a hundred rows takes the ORM a tenth of a second, in a request that happens to end.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    quote = connection.ops.quote_name
    table, pk, last = quote(model._meta.db_table), quote(column(model, "id")), quote(column(model, "last_used_at"))
    # Only rows that nobody holds: who never waits is in no deadlock, whatever order others lock theirs in.
    rows = model._base_manager.using(using).filter(pk__in=list(batch))
    not_held = rows.select_for_update(skip_locked=True, no_key=True).values("pk")
    moments = [each for pk, moment in batch.items() for each in (pk, connection.ops.adapt_datetimefield_value(moment))]
    with _impatience(using), transaction.atomic(using=using), connection.cursor() as cursor:
        free, chosen = not_held.query.get_compiler(using).as_sql()
        # Both databases call the columns of VALUES so.
        cursor.execute(
            f"UPDATE {table} SET {last} = v.column2 "  # noqa: S608 - names of our own models, and SQL of the ORM
            f"FROM (VALUES {', '.join(['(%s, %s)'] * len(batch))}) v WHERE {table}.{pk} = v.column1 "
            f"AND ({table}.{last} IS NULL OR {table}.{last} < v.column2) AND {table}.{pk} IN ({free})",
            [*moments, *chosen],
        )


def _limit_waiting(using: str) -> None:
    """On PostgreSQL, have this transaction wait for a lock for :data:`_PATIENCE`; what it refuses is tried again later."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {_PATIENCE}")


@contextmanager
def _impatience(using: str) -> Iterator[None]:
    """On SQLite, wait for whoever writes for :data:`_PATIENCE` and not for the host's busy timeout."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    # Past Django's cursors, which refuse everything in a transaction that has failed: the timeout must come back.
    raw = connection.connection
    (before,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout = {before}")
