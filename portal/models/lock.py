"""Row locks, in one order for all."""

from __future__ import annotations

from typing import Any

from django.db import connections, models

__all__ = ["lock"]


def lock(rows: models.QuerySet[Any]) -> None:
    """Lock ``rows``, newest first, where the database has row locks: two that end sessions in one order never deadlock.

    By key, so that a condition across a relation neither locks that relation's rows nor is refused: PostgreSQL takes no
    FOR UPDATE over an outer join.
    """
    if connections[rows.db].features.has_select_for_update:
        keys = rows.order_by().values("pk")
        ordered = rows.model._base_manager.using(rows.db).filter(pk__in=keys).order_by("-pk")
        list(ordered.select_for_update().values_list("pk"))
