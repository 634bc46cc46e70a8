"""Portals by one fixed statement (design decision 20): the one that a mint names, and the one whose page is asked for."""

from __future__ import annotations

import json
from datetime import tzinfo
from functools import lru_cache

from django.db import connections, models, router

from . import tokens
from .models import PortalConfig
from .models.portal_facts import PortalFacts
from .rawsql import array, kept, look_up, moment, values

__all__ = ["find_portal", "portal_at", "read_portal", "whole_portal"]

#: Those of :class:`~portal.models.portal_facts.PortalFacts`, in its order.
_FIELDS = ("id", "public_id", "slug", "enabled", "keyspace_id", "return_origins", "extra_capabilities")

# A key store is given a whole portal, and may ask it for anything, from a thread with a connection of its own.
_EVERY = tuple(field.name for field in PortalConfig._meta.concrete_fields)
_BOOLEANS = [field.name for field in PortalConfig._meta.concrete_fields if isinstance(field, models.BooleanField)]
_MOMENTS = [field.name for field in PortalConfig._meta.concrete_fields if isinstance(field, models.DateTimeField)]


def find_portal(name: str) -> PortalFacts | None:
    """Return what a mint needs of the portal whose id (``prt_…``) or slug ``name`` is, or None."""
    statement = _by_public_id if name.startswith(tokens.PORTAL_ID) else _by_slug
    return look_up(PortalConfig, statement, _read, name=name)


def portal_at(slug: str) -> PortalConfig | None:
    """Return the whole portal with this slug, or None."""
    return look_up(PortalConfig, _whole_by_slug, read_portal, name=slug)


def whole_portal(alias: str, using: str) -> str:
    """Return what to select of the table ``alias`` for :func:`read_portal`."""
    return array(values(PortalConfig, _EVERY, alias, using), using)


def read_portal(text: str, zone: tzinfo | None) -> PortalConfig:
    """Return the portal of a :func:`whole_portal`."""
    row = dict(zip(_EVERY, json.loads(text), strict=True))
    # SQLite has no booleans.
    row |= {name: bool(row[name]) for name in _BOOLEANS} | {name: moment(row[name], zone) for name in _MOMENTS}
    return PortalConfig.from_db(router.db_for_write(PortalConfig), list(row), list(row.values()))


@kept
def _read(text: str, zone: tzinfo | None) -> PortalFacts:
    pk, public_id, slug, enabled, keyspace_id, return_origins, extra_capabilities = json.loads(text)
    # SQLite has no booleans.
    return PortalFacts(
        pk, public_id, slug, bool(enabled), keyspace_id, tuple(return_origins), tuple(extra_capabilities)
    )


def _where(using: str, selected: str, field: str) -> str:
    quote = connections[using].ops.quote_name
    table = quote(PortalConfig._meta.db_table)
    return f"SELECT {selected} FROM {table} c WHERE c.{quote(field)} = %(name)s"  # noqa: S608 - names of our own models


@lru_cache(maxsize=8)
def _by_slug(using: str) -> str:
    return _where(using, array(values(PortalConfig, _FIELDS, "c", using), using), "slug")


@lru_cache(maxsize=8)
def _by_public_id(using: str) -> str:
    return _where(using, array(values(PortalConfig, _FIELDS, "c", using), using), "public_id")


@lru_cache(maxsize=8)
def _whole_by_slug(using: str) -> str:
    return _where(using, whole_portal("c", using), "slug")
