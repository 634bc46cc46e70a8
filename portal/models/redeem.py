"""The one statement that spends an exchange code (design section 2 and decision 20)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connections, models

from .act import Act, carry_out
from .config import PortalConfig
from .insert import adapted, column

__all__ = ["Redeemed", "redeem"]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What an exchange tells of its session; the rest is in the row of this primary key."""

    pk: int
    external_id: str
    expires_at: datetime


def redeem(
    model: type[models.Model],
    code_hash: bytes,
    token_hash: bytes,
    now: datetime,
    *,
    slug: str | None,
    event: Mapping[str, Any],
    using: str,
) -> Redeemed | None:
    """Turn the pending session of a code into one with a token; of any number of callers, one gets it, the others None.

    The first statement of its transaction, and every condition on the row's own columns: with a SELECT before it, or a
    condition across the relation, two callers can both win (design section 2, tried). The life is added by the database,
    from the row.

    :param model: PortalSession.
    :param slug: when given, only a code of this portal counts.
    :param event: the fields of its event that are not the session's own.
    :raises EventNotWritten: and nothing was spent.
    """
    values = {"code_hash": code_hash, "token_hash": token_hash, "now": now, "slug": slug}
    parameters = adapted(model, values, connections[using])
    row = carry_out(_act(model, slug is not None, using), parameters, event, metadata=_metadata, using=using)
    if row is None:
        return None
    pk, _public_id, external_id, _metadata_text, ttl, _portal_id = row
    # SQLite has no durations; Django keeps them in microseconds.
    life = ttl if isinstance(ttl, timedelta) else timedelta(microseconds=ttl)
    return Redeemed(pk=pk, external_id=external_id, expires_at=now + life)


def _metadata(row: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row[3]) if isinstance(row[3], str) else row[3]
    return found


# Only names of our own models are formatted in; every value is a parameter.
@lru_cache(maxsize=8)
def _act(model: type[models.Model], of_one_portal: bool, using: str) -> Act:
    connection = connections[using]
    quote = connection.ops.quote_name

    def name(field_name: str) -> str:
        return quote(column(model, field_name))

    portals = quote(PortalConfig._meta.db_table)
    ends = _later(connection, name("ttl"))
    slug = f" AND {quote('slug')} = %(slug)s" if of_one_portal else ""
    statement = (
        f"UPDATE {quote(model._meta.db_table)} "  # noqa: S608
        f"SET {name('token_hash')} = %(token_hash)s, {name('exchanged_at')} = %(now)s, {name('expires_at')} = {ends} "
        f"WHERE {name('code_hash')} = %(code_hash)s AND {name('exchanged_at')} IS NULL AND {name('revoked_at')} IS NULL "
        f"AND {name('code_expires_at')} > %(now)s "
        f"AND {name('config')} IN (SELECT {quote('id')} FROM {portals} WHERE {quote('enabled')}{slug})"
    )
    returns = {
        "pk": name("id"),
        "public_id": name("public_id"),
        "external_id": name("external_id"),
        "metadata": name("metadata"),
        "ttl": name("ttl"),
        "portal_id": f"(SELECT {quote('public_id')} FROM {portals} c WHERE c.{quote('id')} = {name('config')})",  # noqa: S608
    }
    told = {
        "actor_id": "external_id",
        "portal_id": "portal_id",
        "session_id": "public_id",
        "external_id": "external_id",
    }
    return Act.of(statement, returns=returns, told=told, using=using)


def _later(connection: Any, life: str) -> str:
    """Return the moment of the exchange and the life that begins with it, as SQL."""
    if connection.vendor == "postgresql":
        # In seconds, because a day of an interval is as long as the calendar says where DATABASES has a TIME_ZONE. A cast,
        # because the sum of a parameter without a type and an interval is an interval.
        return f"CAST(%(now)s AS timestamptz) + make_interval(secs => EXTRACT(epoch FROM {life}))"
    later: str = connection.ops.combine_duration_expression("+", ["%(now)s", life])
    return later
