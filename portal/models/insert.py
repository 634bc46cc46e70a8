"""INSERT without the ORM's price, and INSERT … SELECT: a row only if the rows that allow it still do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connections, models
from django.db.models.signals import post_save, pre_save

__all__ = ["Guard", "column", "insert", "insert_if"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A row that must exist, with these values in these fields, for the insert to happen."""

    model: type[models.Model]
    fields: Mapping[str, Any]


def column(model: type[models.Model], name: str) -> str:
    """Return the column of the field ``name`` of ``model``."""
    found: str = model._meta.get_field(name).column  # type: ignore[union-attr, assignment]
    return found


def insert(instance: models.Model, *, using: str) -> None:
    """Insert ``instance`` and set its primary key, as ``instance.save(force_insert=True)`` does, signals included."""
    signal: dict[str, Any] = {"instance": instance, "raw": False, "using": using, "update_fields": None}
    pre_save.send(type(instance), **signal)
    _run(instance, (), using)
    post_save.send(type(instance), created=True, **signal)


def insert_if(instance: models.Model, *guards: Guard, using: str) -> bool:
    """Insert ``instance`` if every guard's row is there, set its primary key and say whether it was inserted.

    Checking first and inserting then would let a change slip between the two: a code minted around the disabling of a
    portal then works after re-enabling it. Where the database has row locks, the guards' rows are locked against change
    (FOR SHARE) until the transaction ends; SQLite has one writer at a time anyway. Call it inside a transaction.
    """
    return _run(instance, guards, using)


def _run(instance: models.Model, guards: tuple[Guard, ...], using: str) -> bool:
    connection = connections[using]
    values = {
        field.name: _adapted(field, field.pre_save(instance, add=True), connection) for field in _fields(type(instance))
    }
    for number, guard in enumerate(guards):
        for name, value in guard.fields.items():
            field: Any = guard.model._meta.get_field(name)
            values[f"g{number}_{name}"] = field.get_db_prep_value(value, connection)
    shape = tuple((guard.model, tuple(guard.fields)) for guard in guards)
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(instance), shape, using), values)
        rows = cursor.fetchall()
    if not rows:
        return False
    instance.pk = rows[0][0]
    instance._state.adding = False
    instance._state.db = using
    return True


@lru_cache(maxsize=8)
def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


#: What goes to a database as it is, from any of our columns but those of JSON.
_PLAIN = frozenset({str, int, bool, bytes, type(None)})


def _adapted(field: Any, value: Any, connection: Any) -> Any:
    """Return ``value`` as the database takes it: what Django does, without asking what needs no asking."""
    kind = type(value)
    if kind in _PLAIN and not isinstance(field, models.JSONField):
        return value
    if kind is datetime:
        return connection.ops.adapt_datetimefield_value(value)
    return field.get_db_prep_save(value, connection)


# Only names of our own models are formatted in; every value is a parameter.
@lru_cache(maxsize=32)
def _statement(
    model: type[models.Model], guards: tuple[tuple[type[models.Model], tuple[str, ...]], ...], using: str
) -> str:
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = _fields(model)
    columns = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(f"%({field.name})s" for field in fields)
    if guards:
        tables = ", ".join(f"{quote(guard._meta.db_table)} g{number}" for number, (guard, _) in enumerate(guards))
        conditions = " AND ".join(
            f"g{number}.{quote(column(guard, name))} = %(g{number}_{name})s"
            for number, (guard, names) in enumerate(guards)
            for name in names
        )
        source = f"SELECT {values} FROM {tables} WHERE {conditions}"  # noqa: S608
        if connection.features.has_select_for_update:
            source += " FOR SHARE"
    else:
        source = f"VALUES ({values})"
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {source} RETURNING {quote('id')}"
