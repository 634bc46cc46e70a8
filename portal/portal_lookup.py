"""Which portal a mint names: one fixed statement, with the fields that a mint needs (design decision 20)."""

from __future__ import annotations

from functools import lru_cache

from django.db import connections, router

from . import tokens
from .models import PortalConfig
from .rawsql import columns, find

__all__ = ["find_portal"]

_FIELDS = ("id", "public_id", "slug", "enabled", "keyspace_id")
_JSON_FIELDS = ("return_origins", "extra_capabilities")


def find_portal(name: str) -> PortalConfig | None:
    """Return the portal whose id (``prt_…``) or slug ``name`` is, or None.

    What a mint does not need is not loaded: Django reads such a field from the database when it is asked for.
    """
    statement = _by_public_id if name.startswith(tokens.PORTAL_ID) else _by_slug
    found = find(PortalConfig, statement, name=name)
    if found is None:
        return None
    values = [*found.values[: len(_FIELDS)], *(found.json(index) for index in range(len(_FIELDS), len(found.values)))]
    return PortalConfig.from_db(router.db_for_write(PortalConfig), (*_FIELDS, *_JSON_FIELDS), values)


def _select(using: str, field: str) -> str:
    quote = connections[using].ops.quote_name
    return (
        f"SELECT {columns(PortalConfig, (*_FIELDS, *_JSON_FIELDS), 'c', quote)} "  # noqa: S608 - names of our own models
        f"FROM {quote(PortalConfig._meta.db_table)} c WHERE c.{quote(field)} = %(name)s"
    )


@lru_cache(maxsize=8)
def _by_slug(using: str) -> str:
    return _select(using, "slug")


@lru_cache(maxsize=8)
def _by_public_id(using: str) -> str:
    return _select(using, "public_id")
