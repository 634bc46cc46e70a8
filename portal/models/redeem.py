"""The one statement that spends an exchange code (design section 2 and decision 20)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connections, models

from .config import PortalConfig
from .insert import column

__all__ = ["Redeemed", "redeem"]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What an exchange tells of its session; the rest is in the row of this primary key."""

    pk: int
    public_id: str
    external_id: str
    portal_id: str
    metadata: dict[str, Any] = field(hash=False)
    expires_at: datetime


def redeem(
    model: type[models.Model], code_hash: bytes, token_hash: bytes, now: datetime, *, slug: str | None, using: str
) -> Redeemed | None:
    """Turn the pending session of a code into one with a token; of any number of callers, one gets it, the others None.

    The first statement of its transaction, and every condition on the row's own columns: with a SELECT before it, or a
    condition across the relation, two callers can both win (design section 2, tried). The life is added by the database,
    from the row.

    :param model: PortalSession.
    :param slug: when given, only a code of this portal counts.
    """
    connection = connections[using]
    moment: Any = model._meta.get_field("expires_at")
    parameters = {
        "code_hash": code_hash,
        "token_hash": token_hash,
        "now": moment.get_db_prep_value(now, connection),
        "slug": slug,
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, slug is not None, using), parameters)
        rows = cursor.fetchall()
    if not rows:
        return None
    (pk, public_id, external_id, metadata, ttl, portal_id) = rows[0]
    return Redeemed(
        pk=pk,
        public_id=public_id,
        external_id=external_id,
        portal_id=portal_id,
        metadata=json.loads(metadata) if isinstance(metadata, str) else metadata,
        # SQLite has no durations; Django keeps them in microseconds.
        expires_at=now + (ttl if isinstance(ttl, timedelta) else timedelta(microseconds=ttl)),
    )


# Only names of our own models are formatted in; every value is a parameter.
@lru_cache(maxsize=8)
def _statement(model: type[models.Model], of_one_portal: bool, using: str) -> str:
    connection = connections[using]
    quote = connection.ops.quote_name

    def name(field_name: str) -> str:
        return quote(column(model, field_name))

    portals = quote(PortalConfig._meta.db_table)
    ends = connection.ops.combine_duration_expression("+", [_moment(connection.vendor), name("ttl")])
    slug = f" AND {quote('slug')} = %(slug)s" if of_one_portal else ""
    return (
        f"UPDATE {quote(model._meta.db_table)} "  # noqa: S608
        f"SET {name('token_hash')} = %(token_hash)s, {name('exchanged_at')} = %(now)s, {name('expires_at')} = {ends} "
        f"WHERE {name('code_hash')} = %(code_hash)s AND {name('exchanged_at')} IS NULL AND {name('revoked_at')} IS NULL "
        f"AND {name('code_expires_at')} > %(now)s "
        f"AND {name('config')} IN (SELECT {quote('id')} FROM {portals} WHERE {quote('enabled')}{slug}) "
        f"RETURNING {name('id')}, {name('public_id')}, {name('external_id')}, {name('metadata')}, {name('ttl')}, "
        f"(SELECT {quote('public_id')} FROM {portals} c WHERE c.{quote('id')} = {name('config')})"
    )


def _moment(vendor: str) -> str:
    # A parameter has no type of its own there, and the sum of an unknown and an interval is an interval.
    return "CAST(%(now)s AS timestamptz)" if vendor == "postgresql" else "%(now)s"
