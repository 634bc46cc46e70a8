"""INSERT … SELECT: write a row only if the rows that allow it still do, in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections, models

__all__ = ["Guard", "column", "insert_if"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A row that must exist, with these values in these fields, for the insert to happen."""

    model: type[models.Model]
    fields: Mapping[str, Any]


def column(model: type[models.Model], name: str) -> str:
    """Return the column of the field ``name`` of ``model``."""
    found: str = model._meta.get_field(name).column  # type: ignore[union-attr, assignment]
    return found


def insert_if(instance: models.Model, *guards: Guard, using: str) -> bool:
    """Insert ``instance`` if every guard's row is there, set its primary key and say whether it was inserted.

    Checking first and inserting then would let a change slip between the two: a code minted around the disabling of a
    portal then works after re-enabling it. Where the database has row locks, the guards' rows are locked against change
    (FOR SHARE) until the transaction ends; SQLite has one writer at a time anyway. Call it inside a transaction.
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    model = type(instance)
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    parameters = [field.get_db_prep_save(field.pre_save(instance, add=True), connection) for field in fields]
    conditions = []
    for number, guard in enumerate(guards):
        for name, value in guard.fields.items():
            conditions.append(f"g{number}.{quote(column(guard.model, name))} = %s")
            field: Any = guard.model._meta.get_field(name)
            parameters.append(field.get_db_prep_value(value, connection))
    # Only names of our own models are formatted in; every value is a parameter.
    sql = "INSERT INTO {} ({}) SELECT {} FROM {} WHERE {}".format(  # noqa: S608
        quote(model._meta.db_table),
        ", ".join(quote(column(model, field.name)) for field in fields),
        ", ".join(["%s"] * len(fields)),
        ", ".join(f"{quote(guard.model._meta.db_table)} g{number}" for number, guard in enumerate(guards)),
        " AND ".join(conditions),
    )
    if connection.features.has_select_for_update:
        sql += " FOR SHARE"
    sql += f" RETURNING {quote(column(model, 'id'))}"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    if not rows:
        return False
    instance.pk = rows[0][0]
    instance._state.adding = False
    instance._state.db = using
    return True
