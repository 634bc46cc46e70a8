"""Which portal a mint names: one fixed statement, with the fields that a mint needs (design decision 20)."""

from __future__ import annotations

import json
from datetime import tzinfo
from functools import lru_cache

from django.db import connections, router

from . import tokens
from .models import PortalConfig
from .rawsql import array, look_up, values

__all__ = ["find_portal"]

_FIELDS = ("id", "public_id", "slug", "enabled", "keyspace_id", "return_origins", "extra_capabilities")


def find_portal(name: str) -> PortalConfig | None:
    """Return the portal whose id (``prt_…``) or slug ``name`` is, or None.

    What a mint does not need is not loaded: Django reads such a field from the database when it is asked for.
    """
    statement = _by_public_id if name.startswith(tokens.PORTAL_ID) else _by_slug
    return look_up(PortalConfig, statement, _read, name=name)


def _read(text: str, zone: tzinfo | None) -> PortalConfig:
    row = dict(zip(_FIELDS, json.loads(text), strict=True))
    # SQLite has no booleans.
    row["enabled"] = bool(row["enabled"])
    return PortalConfig.from_db(router.db_for_write(PortalConfig), list(row), list(row.values()))


def _select(using: str, field: str) -> str:
    quote = connections[using].ops.quote_name
    return (
        f"SELECT {array(values(PortalConfig, _FIELDS, 'c', using), using)} "  # noqa: S608 - names of our own models
        f"FROM {quote(PortalConfig._meta.db_table)} c WHERE c.{quote(field)} = %(name)s"
    )


@lru_cache(maxsize=8)
def _by_slug(using: str) -> str:
    return _select(using, "slug")


@lru_cache(maxsize=8)
def _by_public_id(using: str) -> str:
    return _select(using, "public_id")
