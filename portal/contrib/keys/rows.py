"""Rows of the tables as the keys of the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple, cast

from portal import clock
from portal.keystore.base import Key, OldSecret, RateLimit
from portal.rawsql import among, array, look_up_all, moment, values

from .models import ApiKey, KeySecret

__all__ = ["KEY_FIELDS", "KeyRow", "read_row", "to_keys"]


class KeyRow(NamedTuple):
    """What a list needs of a key, as :class:`ApiKey` has it, and by what the database sorts its name."""

    id: int
    public_id: str
    start: str
    name: str
    enabled: bool
    locked: bool
    created_at: datetime
    expires_at: datetime | None
    updated_at: datetime | None
    rotated_at: datetime | None
    last_used_at: datetime | None
    permissions: list[str]
    metadata: dict[str, Any]
    rate_limit: int | None
    rate_limit_seconds: int
    revision: int
    sorted_name: str


#: The fields of the model that a row begins with.
KEY_FIELDS = KeyRow._fields[:-1]
_BOOLEANS = [KEY_FIELDS.index(name) for name in ("enabled", "locked")]
_MOMENTS = [place for place, name in enumerate(KEY_FIELDS) if name.endswith("_at")]


def read_row(text: str, zone: tzinfo | None) -> KeyRow:
    """Return the row of an array of :data:`KEY_FIELDS` and the sorted name."""
    row = json.loads(text)
    # SQLite has no booleans.
    for place in _BOOLEANS:
        row[place] = bool(row[place])
    for place in _MOMENTS:
        row[place] = moment(row[place], zone)
    return KeyRow._make(row)


def to_keys(rows: Sequence[ApiKey] | Sequence[KeyRow], using: str) -> list[Key]:
    """Return rows of the database ``using`` as the protocol's keys; one statement for all of their old secrets."""
    rotated = {row.id: row.rotated_at for row in rows if row.rotated_at is not None}
    old = dict(_old_secrets(rotated, using)) if rotated else {}
    return [_to_key(row, old.get(row.id)) for row in rows]


def _old_secrets(rotated: Mapping[int, datetime], using: str) -> list[tuple[int, OldSecret]]:
    """Return what still works from before the last rotation, with the primary keys of the keys.

    :param rotated: when each key was rotated, by its primary key.
    """
    listed, parameters = among("key", rotated)

    def read(text: str, zone: tzinfo | None) -> tuple[int, OldSecret]:
        key, start, ends_at, last_used_at = json.loads(text)
        used = moment(last_used_at, zone)
        in_use = used is not None and used >= rotated[key]
        return key, OldSecret(start, cast(datetime, moment(ends_at, zone)), in_use)

    return look_up_all(using, _running(using, listed), read, {"now": clock.now(), **parameters})


@lru_cache(maxsize=64)
def _running(using: str, listed: str) -> str:
    selected = array(values(KeySecret, ("key", "start", "ends_at", "last_used_at"), "s", using), using)
    return (
        f"SELECT {selected} FROM {KeySecret._meta.db_table} s "  # noqa: S608 - names of our own models
        f"WHERE s.key_id IN {listed} AND s.ends_at > %(now)s"
    )


def _to_key(row: ApiKey | KeyRow, old_secret: OldSecret | None) -> Key:
    limit = None
    if row.rate_limit is not None:
        limit = RateLimit(row.rate_limit, timedelta(seconds=row.rate_limit_seconds))
    return Key(
        id=row.public_id,
        start=row.start,
        name=row.name,
        created_at=row.created_at,
        enabled=row.enabled,
        locked=row.locked,
        expires_at=row.expires_at,
        updated_at=row.updated_at,
        last_used_at=row.last_used_at,
        permissions=tuple(row.permissions),
        metadata=row.metadata,
        rate_limit=limit,
        old_secret=old_secret,
        version=str(row.revision),
    )
