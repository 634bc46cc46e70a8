"""What the hot paths ask in place of the ORM: one fixed statement, by the hash of a secret (design decision 20).

A row is answered as one value, the text of a JSON array: eighteen columns cost a driver more than finding the row costs the
database. Times and JSON come in one form from both databases; a boolean may be 0 or 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connections, models, router

from .models.insert import column

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["among", "array", "kept", "loaded", "look_up", "look_up_all", "moment", "values"]

#: Of how many texts, and up to what length, what was made of them is kept: 4 MB of texts for a kind of row, at most.
_KEPT_TEXTS, _KEPT_LENGTH = 1000, 4096

_Read = TypeVar("_Read")


def values(
    model: type[models.Model], names: Iterable[str], alias: str, using: str, *, nested: bool = True
) -> list[str]:
    """Return the columns of these fields of ``model``, for :func:`array`.

    :param nested: whether JSON stands in the array as such. If not, SQLite, which keeps it as text, need not parse it each
        time: for what is :func:`kept`, and read by :func:`loaded`.
    """
    connection = connections[using]
    found = []
    for name in names:
        value = f"{alias}.{connection.ops.quote_name(column(model, name))}"
        # In the array a text would be a string.
        is_text = nested and connection.vendor == "sqlite" and isinstance(model._meta.get_field(name), models.JSONField)
        found.append(f"json({value})" if is_text else value)
    return found


def loaded(value: Any) -> Any:
    """Return the array or object of JSON that came as such from PostgreSQL, and as text from SQLite."""
    return json.loads(value) if isinstance(value, str) else value


def array(expressions: Iterable[str], using: str) -> str:
    """Return an expression for the text of the JSON array of these expressions."""
    listed = ", ".join(expressions)
    if connections[using].vendor == "postgresql":
        return f"json_build_array({listed})::text"
    return f"json_array({listed})"


def among(name: str, values: Iterable[Any]) -> tuple[str, dict[str, Any]]:
    """Return what stands after ``IN`` for these values, and its parameters: ``name`` and a number each."""
    parameters = {f"{name}_{place}": value for place, value in enumerate(values)}
    # A list of nothing is an error to PostgreSQL.
    return f"({', '.join(f'%({one})s' for one in parameters) or 'NULL'})", parameters


def moment(text: str | None, zone: tzinfo | None) -> datetime | None:
    """Return a time of an array as aware UTC.

    :param text: from PostgreSQL with an offset, from SQLite without one, in the connection's zone.
    :param zone: the connection's, which is UTC unless DATABASES says otherwise.
    """
    if text is None:
        return None
    value = datetime.fromisoformat(text)
    aware = value.replace(tzinfo=zone) if value.tzinfo is None else value
    return aware if aware.tzinfo is UTC else aware.astimezone(UTC)


def kept(read: Callable[[str, tzinfo | None], _Read]) -> Callable[[str, tzinfo | None], _Read]:
    """Return ``read`` for :func:`look_up`, keeping what it made of the last texts, but for long ones.

    The database is asked each time, and says the same of most who come again. What is made must not be changeable, as those
    who ask share it.
    """
    again = lru_cache(maxsize=_KEPT_TEXTS)(read)

    @wraps(read)
    def reading(text: str, zone: tzinfo | None) -> _Read:
        return again(text, zone) if len(text) <= _KEPT_LENGTH else read(text, zone)

    return reading


def look_up(
    model: type[models.Model],
    statement: Callable[[str], str],
    read: Callable[[str, tzinfo | None], _Read],
    **parameters: Any,
) -> _Read | None:
    """Return what ``read`` makes of the one row that ``statement`` finds, or None without one; one query.

    :param model: decides which database is asked: the writer's. A replica that lags would still accept what was just ended.
    :param statement: takes that database's alias and returns the SQL, which selects one :func:`array`, with ``parameters``
        in it by name. By name: on SQLite Django searches the text for nameless ones, at a third of the statement's cost.
    :param read: takes the array's text, and the connection's zone for :func:`moment`.
    """
    using = router.db_for_write(model)
    rows, zone = _ask(using, statement(using), parameters)
    return read(rows[0][0], zone) if rows else None


def look_up_all(
    using: str, sql: str, read: Callable[[str, tzinfo | None], _Read], parameters: Mapping[str, Any]
) -> list[_Read]:
    """Return what ``read`` makes of each row that the statement finds; one query.

    :param using: the alias of the database that is asked.
    :param sql: and ``read``, ``parameters``: as for :func:`look_up`; times in ``parameters`` are converted.
    """
    adapt = connections[using].ops.adapt_datetimefield_value
    adapted = {name: adapt(value) if isinstance(value, datetime) else value for name, value in parameters.items()}
    rows, zone = _ask(using, sql, adapted)
    return [read(text, zone) for (text,) in rows]


def _ask(using: str, sql: str, parameters: Mapping[str, Any]) -> tuple[list[tuple[str]], tzinfo | None]:
    """Return the rows and the connection's zone."""
    connection: BaseDatabaseWrapper = connections[using]
    # Not in a with block: it ends with this function, and closing it first costs a twentieth of the look-up.
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    # Iterating takes half of what a call of fetchone or fetchall does: Django wraps each such method anew.
    return list(cursor), connection.timezone
