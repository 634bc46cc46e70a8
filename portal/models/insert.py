"""INSERT without the ORM's price."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.db import connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.signals import post_save, pre_save

__all__ = ["adapted", "column", "insert", "insert_row"]


def column(model: type[models.Model], name: str) -> str:
    """Return the column of the field ``name`` of ``model``."""
    found: str = model._meta.get_field(name).column  # type: ignore[union-attr, assignment]
    return found


def insert(instance: models.Model, *, using: str) -> None:
    """Insert ``instance`` and set its primary key, as ``instance.save(force_insert=True)`` does, signals included."""
    model = type(instance)
    signal: dict[str, Any] = {"instance": instance, "raw": False, "using": using, "update_fields": None}
    pre_save.send(model, **signal)
    values = {
        field.name: field.pre_save(instance, add=True) for field in model._meta.concrete_fields if not field.primary_key
    }
    with connections[using].cursor() as cursor:
        instance.pk = insert_row(model, values, cursor)
    instance._state.adding = False
    instance._state.db = using
    post_save.send(model, created=True, **signal)


def insert_row(model: type[models.Model], values: Mapping[str, Any], cursor: CursorWrapper) -> int:
    """Insert a row with these values, by field name, and return its primary key. No signal is sent."""
    cursor.execute(_statement(model, tuple(values), cursor.db.alias), adapted(model, values, cursor.db))
    # All, though there is one: SQLite ends the statement when it has given the last.
    rows = cursor.fetchall()
    pk: int = rows[0][0]
    return pk


#: What goes to a database as it is, from any of our columns but those of JSON, which take lists and objects here.
_PLAIN = frozenset({str, int, bool, bytes, type(None)})


def adapted(model: type[models.Model], values: Mapping[str, Any], connection: Any) -> dict[str, Any]:
    """Return these values, by field name, as the database takes them: as Django does, but asking only where it must."""
    found = {}
    for name, value in values.items():
        kind = type(value)
        if kind is datetime:
            found[name] = _adapted_moment(value, connection.alias, connection.timezone)
        elif kind in _PLAIN:
            found[name] = value
        elif kind is dict or kind is list:
            found[name] = connection.ops.adapt_json_value(value, None)
        else:
            field: Any = model._meta.get_field(name)
            found[name] = field.get_db_prep_save(value, connection)
    return found


# A row and the row of its event have the same moment, and SQLite takes it as text, which is long in the making.
@lru_cache(maxsize=32)
def _adapted_moment(value: datetime, using: str, zone: tzinfo | None) -> Any:
    return connections[using].ops.adapt_datetimefield_value(value)


# Only names of our own models are formatted in; every value is a parameter.
@lru_cache(maxsize=32)
def _statement(model: type[models.Model], names: tuple[str, ...], using: str) -> str:
    quote = connections[using].ops.quote_name
    columns = ", ".join(quote(column(model, name)) for name in names)
    values = ", ".join(f"%({name})s" for name in names)
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({values}) RETURNING {quote('id')}"  # noqa: S608
