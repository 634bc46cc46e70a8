"""An act and the event that tells of it: neither is kept without the other.

On PostgreSQL the two are one statement, which is a transaction by itself: one round trip in place of four. Elsewhere, and
where a host listens to the saving of events, they are two statements in a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import DataError, IntegrityError, connections, transaction
from django.db.models.signals import post_save, pre_save

from .event import FIELDS, EventNotWritten, PortalEvent
from .insert import adapted, column, insert, insert_row

__all__ = ["Act", "carry_out"]

_Row = tuple[Any, ...]
_Values = Mapping[str, Any]
#: The event's primary key and what the act returned.
_Written = tuple[int, _Row] | None


@dataclass(frozen=True, slots=True)
class Act:
    """A fixed statement that changes one row or none; made once a process by :meth:`of`.

    :param alone: the statement.
    :param with_event: the same and its event, as one statement; it returns the event's primary key first.
    :param told: the fields of the event that are told by what the act returns: the place of each there.
    """

    alone: str
    with_event: str
    told: Mapping[str, int]

    @classmethod
    def of(cls, statement: str, *, returns: Mapping[str, str], told: Mapping[str, str], using: str) -> Act:
        """Return an act.

        :param statement: without its RETURNING.
        :param returns: what it returns: an expression for each name.
        :param told: the fields of the event that it tells: the name, among these, of what each holds.
        """
        quote = connections[using].ops.quote_name
        alone = f"{statement} RETURNING {', '.join(f'{value} AS {name}' for name, value in returns.items())}"
        columns = ", ".join(quote(column(PortalEvent, field)) for field in FIELDS)
        values = ", ".join(f"act.{told[field]}" if field in told else f"%(event_{field})s" for field in FIELDS)
        with_event = (
            f"WITH act AS ({alone}), "  # noqa: S608 - names of our own models
            f"event AS (INSERT INTO {quote(PortalEvent._meta.db_table)} ({columns}) SELECT {values} FROM act "
            f"RETURNING {quote('id')} AS event_pk) SELECT event.event_pk, act.* FROM act, event"
        )
        places = list(returns)
        return cls(alone, with_event, {field: places.index(name) for field, name in told.items()})


def carry_out(
    act: Act,
    parameters: _Values,
    event: _Values,
    *,
    metadata: Callable[[_Row], _Values],
    using: str,
) -> _Row | None:
    """Run ``act``, write its event and return what the act returned, or None where it found no row to change.

    The event is announced when that commits: at once, except within a transaction of the caller's.

    :param parameters: the statement's, as the database takes them.
    :param event: the event's fields that the act does not tell.
    :param metadata: takes what the act returned and gives the session's metadata, for receivers of the event.
    :raises EventNotWritten: and nothing has happened.
    """
    connection = connections[using]
    if connection.vendor == "postgresql" and not _saving_is_listened_to():
        # In the caller's transaction a savepoint, so that a refusal leaves that usable.
        within = not connection.get_autocommit()
        try:
            with transaction.atomic(using=using) if within else nullcontext():
                written = _in_one(act, parameters, event, connection)
                if within:
                    # Django takes hooks of a commit within its own blocks only.
                    return _announced(act, event, written, metadata, using)
        except (IntegrityError, DataError):
            # Once more, in two: that says which of them is refused.
            pass
        else:
            # Past the above: it is committed, and must not be done again.
            return _announced(act, event, written, metadata, using)
    with transaction.atomic(using=using):
        return _announced(act, event, _in_two(act, parameters, event, connection), metadata, using)


def _in_one(act: Act, parameters: _Values, event: _Values, connection: Any) -> _Written:
    told = {f"event_{name}": value for name, value in adapted(PortalEvent, event, connection).items()}
    with connection.cursor() as cursor:
        cursor.execute(act.with_event, {**parameters, **told})
        rows = cursor.fetchall()
    return (rows[0][0], rows[0][1:]) if rows else None


def _in_two(act: Act, parameters: _Values, event: _Values, connection: Any) -> _Written:
    with connection.cursor() as cursor:
        cursor.execute(act.alone, parameters)
        rows = cursor.fetchall()
        if not rows:
            return None
        try:
            return _write(_told(act, event, rows[0]), cursor), rows[0]
        except (IntegrityError, DataError) as error:
            raise EventNotWritten("The event could not be written.") from error


def _announced(
    act: Act, event: _Values, written: _Written, metadata: Callable[[_Row], _Values], using: str
) -> _Row | None:
    if written is None:
        return None
    pk, row = written
    if PortalEvent.is_heard(event["kind"]):
        PortalEvent.as_written(pk, _told(act, event, row), metadata(row), using=using).announce(using)
    return row


def _told(act: Act, event: _Values, row: _Row) -> dict[str, Any]:
    return {**event, **{field: row[place] for field, place in act.told.items()}}


def _write(values: _Values, cursor: Any) -> int:
    if not _saving_is_listened_to():
        return insert_row(PortalEvent, values, cursor)
    event = PortalEvent(**values)
    insert(event, using=cursor.db.alias)
    return event.pk


def _saving_is_listened_to() -> bool:
    return pre_save.has_listeners(PortalEvent) or post_save.has_listeners(PortalEvent)
