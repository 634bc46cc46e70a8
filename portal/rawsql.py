"""What the hot paths ask in place of the ORM: one fixed statement, by the hash of a secret (design decision 20)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from django.db import connections, models, router

from .models.insert import column

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["Row", "columns", "find"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a raw cursor gives it; what databases give in different forms is read with the methods.

    :param zone: that of the connection, for its naive times.
    """

    values: tuple[Any, ...]
    zone: tzinfo | None

    def moment(self, index: int) -> datetime | None:
        """Return a time as aware UTC.

        PostgreSQL gives aware times; SQLite gives naive ones in the connection's zone, which is UTC unless DATABASES says
        otherwise.
        """
        value: datetime | None = self.values[index]
        if value is None:
            return None
        aware = value.replace(tzinfo=self.zone) if value.tzinfo is None else value
        return aware if aware.tzinfo is UTC else aware.astimezone(UTC)

    def json(self, index: int) -> Any:
        """Return what a JSON column holds."""
        value = self.values[index]
        # Most are empty, and reading is not for nothing.
        if value in ("[]", "{}"):
            return [] if value == "[]" else {}
        return json.loads(value) if isinstance(value, str) else value


def columns(model: type[models.Model], names: Iterable[str], alias: str, quote: Callable[[str], str]) -> str:
    """Return the columns of these fields of ``model``, as a SELECT lists them."""
    return ", ".join(f"{alias}.{quote(column(model, name))}" for name in names)


def find(model: type[models.Model], statement: Callable[[str], str], **parameters: Any) -> Row | None:
    """Return the one row that ``statement`` finds, or None; one query.

    :param model: decides which database is asked: the writer's. A replica that lags would still accept what was just ended.
    :param statement: takes that database's alias and returns the SQL, with ``parameters`` in it by name. By name: on
        SQLite Django searches the whole text for nameless ones, at a third of the statement's cost.
    """
    using = router.db_for_write(model)
    connection: BaseDatabaseWrapper = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(statement(using), parameters)
        values: tuple[Any, ...] | None = cursor.fetchone()
    return None if values is None else Row(values, connection.timezone)
