"""Rows of the tables as the keys of the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from portal import clock
from portal.keystore.base import Key, OldSecret, RateLimit

from .models import ApiKey, KeySecret

__all__ = ["to_keys"]


def to_keys(rows: Iterable[ApiKey]) -> list[Key]:
    """Return rows of one database as the protocol's keys; one statement for all of their old secrets."""
    every = list(rows)
    now = clock.now()
    rotated = [row.pk for row in every if row.rotated_at is not None]
    old: dict[int, OldSecret] = {}
    if rotated:
        since = {row.pk: row.rotated_at for row in every}
        secrets = KeySecret.objects.using(every[0]._state.db).filter(key__in=rotated, ends_at__gt=now)
        for key, start, ends_at, used in secrets.values_list("key_id", "start", "ends_at", "last_used_at"):
            rotated_at = since[key]
            in_use = used is not None and rotated_at is not None and used >= rotated_at
            old[key] = OldSecret(start, cast(datetime, ends_at), in_use)
    return [_to_key(row, old.get(row.pk)) for row in every]


def _to_key(row: ApiKey, old_secret: OldSecret | None) -> Key:
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
