"""Thousands of rows in one statement: copies of a row that the app's own verbs made."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connections, models

from .databases import Router

__all__ = ["analyze", "copy_rows", "from_text", "moment", "number", "random_bytes", "settle"]

#: KiB that SQLite may keep in memory while it fills a table. With its default, 2,000, it writes the same pages of an index
#: again and again: the first million of ten million rows wrote 30 GB.
_FILL_CACHE = 2_000_000

#: Returns a column's value for the n-th copy, as SQL; it is given the vendor.
Expression = Callable[[str], str]


def number(vendor: str) -> str:
    """Return the number of the copy."""
    return "n"


def random_bytes(vendor: str) -> str:
    """Return 32 bytes that no other row has: as random to an index as a hash is."""
    return "randomblob(32)" if vendor == "sqlite" else "sha256((n::text || random()::text)::bytea)"


def from_text(prefix: str, value: Expression) -> Expression:
    """Return a text that begins with ``prefix``."""
    return lambda vendor: f"'{prefix}' || CAST({value(vendor)} AS text)"


def moment(days: int) -> Expression:
    """Return the moment so many days from now."""
    return lambda vendor: (
        f"strftime('%Y-%m-%d %H:%M:%f', 'now', '{days} days')"
        if vendor == "sqlite"
        else f"now() + interval '{days} days'"
    )


def copy_rows(row: models.Model, copies: int, **columns: Expression) -> None:
    """Insert so many copies of ``row``, in one statement.

    :param columns: how copies differ from it and from each other, by field.
    """
    if copies < 1:
        return
    connection = connections[Router.using]
    quote, vendor, meta = connection.ops.quote_name, connection.vendor, type(row)._meta
    series = (
        "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %s)"
        if vendor == "sqlite"
        else "WITH series AS (SELECT generate_series(1, %s) AS n)"
    )
    fields = [field for field in meta.concrete_fields if field.name in columns or not field.primary_key]
    names = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(
        columns[field.name](vendor) if field.name in columns else f"original.{quote(field.column)}" for field in fields
    )
    table, key = quote(meta.db_table), quote(meta.pk.column)
    with connection.cursor() as cursor:
        if vendor == "sqlite":
            cursor.execute(f"PRAGMA cache_size = -{_FILL_CACHE}")
        cursor.execute(
            f"INSERT INTO {table} ({names}) {series} SELECT {values} FROM series, {table} original "
            f"WHERE original.{key} = %s",
            [copies, row.pk],
        )
        if vendor == "sqlite":
            cursor.execute("PRAGMA cache_size = -2000")


def analyze() -> None:
    """Let the database count what was inserted, as it does by itself after a while."""
    with connections[Router.using].cursor() as cursor:
        cursor.execute("ANALYZE")


def settle() -> None:
    """Count what was inserted and write it out, which the database would otherwise do beside what is measured next."""
    analyze()
    commands = {"sqlite": ["PRAGMA wal_checkpoint(TRUNCATE)"], "postgresql": ["VACUUM", "CHECKPOINT"]}
    connection = connections[Router.using]
    with connection.cursor() as cursor:
        for command in commands[connection.vendor]:
            cursor.execute(command)
