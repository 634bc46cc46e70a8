"""The one statement that mints a session (design section 2 and decision 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connections, models

from .act import Act, carry_out
from .config import PortalConfig
from .insert import adapted, column
from .root_key import RootKey

__all__ = ["Minted", "mint"]


@dataclass(frozen=True, slots=True)
class Minted:
    """A session that was just minted.

    :param values: of its fields, by name; those that are left out are null.
    """

    pk: int
    values: Mapping[str, Any]

    @property
    def public_id(self) -> str:
        """The session's public id."""
        found: str = self.values["public_id"]
        return found


def mint(
    model: type[models.Model], values: Mapping[str, Any], event: Mapping[str, Any], *, using: str
) -> Minted | None:
    """Insert a session with its event if its portal is open and as it was read, and its root key enabled; else None.

    Checking first and inserting then would let a change slip between the two: a code minted around the disabling of a
    portal then works after re-enabling it. Where the database has row locks, the rows of the portal and the root key are
    locked against change (FOR SHARE) until the transaction ends; SQLite has one writer at a time anyway.

    :param model: PortalSession.
    :param values: the new row's, by field name; ``config`` and ``minted_by`` are primary keys.
    :param event: the event's fields.
    :raises EventNotWritten: and no session was minted.
    """
    act = _act(model, tuple(values), values["minted_by"] is not None, using)
    parameters = adapted(model, values, connections[using])
    row = carry_out(act, parameters, event, metadata=lambda row: values["metadata"], using=using)
    return None if row is None else Minted(row[0], values)


# Only names of our own models are formatted in; every value is a parameter.
@lru_cache(maxsize=8)
def _act(model: type[models.Model], names: tuple[str, ...], by_root_key: bool, using: str) -> Act:
    connection = connections[using]
    quote = connection.ops.quote_name
    # What is in the rows that are asked anyway comes from there: the server would deduce two types for one parameter.
    there = {"config": f"c.{quote('id')}", "keyspace_id": f"c.{quote('keyspace_id')}"}
    tables = f"{quote(PortalConfig._meta.db_table)} c"
    allowed = f"c.{quote('id')} = %(config)s AND c.{quote('enabled')} AND c.{quote('keyspace_id')} = %(keyspace_id)s"
    if by_root_key:
        there["minted_by"] = f"k.{quote('id')}"
        tables += f", {quote(RootKey._meta.db_table)} k"
        allowed += f" AND k.{quote('id')} = %(minted_by)s AND k.{quote('enabled')}"
    lock = " FOR SHARE" if connection.features.has_select_for_update else ""
    table = quote(model._meta.db_table)
    columns = ", ".join(quote(column(model, name)) for name in names)
    values = ", ".join(there.get(name, f"%({name})s") for name in names)
    return Act.of(
        f"INSERT INTO {table} ({columns}) SELECT {values} FROM {tables} WHERE {allowed}{lock}",  # noqa: S608
        returns={"pk": quote("id")},
        told={},
        using=using,
    )
