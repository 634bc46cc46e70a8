"""Bytes on disk: of a session, an event, a key and an hour of a key's use, with their indexes, at 100,000 of each."""

from __future__ import annotations

import time
from typing import Any

from django.db import connection, models

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret, KeyUsage
from portal.contrib.keys.models.usage import HOURS_A_DAY, Count, hour_of
from portal.contrib.keys.recorder_writes import write_counts
from portal.contrib.keys.usage_rollup import roll_up
from portal.keystore.base import Outcome
from portal.management.batches import DEFAULT_BATCH
from portal.models import PortalEvent, PortalSession

from .pages import owner_of
from .plan import Plan
from .series import copy_rows, from_text, number
from .sessions import fill

__all__ = ["measure"]

ROWS = 100_000
KEYS_AN_HOUR = 1_000


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each table, how fast one process counts uses, as it does after requests, and folds hours into days.

    No row was changed since it was inserted: an exchange leaves a dead one beside it until the next vacuum.
    """
    if not plan.all_rows:
        return {"skipped": "not in the short form"}
    fill(ROWS, "user")
    copy_rows(
        PortalEvent.objects.filter(kind=PortalEvent.Kind.SESSION_EXCHANGED).latest("id"),
        ROWS,
        external_id=from_text("user_", number),
        session_id=from_text("ps_0000000000000000_", number),
    )
    owner_of(ROWS)
    found = {
        name: _row(model)
        for name, model in (
            ("session", PortalSession),
            ("event", PortalEvent),
            ("key", ApiKey),
            ("secret of a key", KeySecret),
        )
    }
    counting = _count_uses()
    found["use of a key, an hour"] = _row(KeyUsage) | {"written/s": ROWS / counting}
    began = time.perf_counter()
    folded = roll_up(DEFAULT_BATCH).folded
    found["use of a key, an hour"]["folded/s"] = folded / (time.perf_counter() - began)
    return found


def _count_uses() -> float:
    """Count so many uses, hour by hour, and return the seconds that it took."""
    keys = list(ApiKey.objects.values_list("pk", flat=True)[:KEYS_AN_HOUR])
    # Of whole days that are old enough to be folded, and not to be deleted.
    first = (hour_of(clock.now()) // HOURS_A_DAY - 30) * HOURS_A_DAY
    hours = [
        {Count(key, hour, Outcome.VALID): 1 for key in keys} for hour in range(first, first + ROWS // KEYS_AN_HOUR)
    ]
    began = time.perf_counter()
    for counts in hours:
        write_counts(counts)
    return time.perf_counter() - began


def _row(model: type[models.Model]) -> dict[str, float]:
    table, rows = model._meta.db_table, model._default_manager.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_table_size(%s), pg_indexes_size(%s)", [table, table])
        data, indexes = cursor.fetchone()
    return {"rows": rows, "table bytes": data / rows, "index bytes": indexes / rows, "bytes": (data + indexes) / rows}
