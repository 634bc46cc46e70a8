"""The system check of the database that the portal's tables are in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, tzinfo
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error
from django.db import connections, router

from portal import clock

from .session import PortalSession

__all__ = ["check_database", "portal_database"]

_VENDORS = frozenset({"sqlite", "postgresql"})


def portal_database() -> str:
    """Return the alias of the database that the portal's tables are in."""
    return router.db_for_write(PortalSession)


def check_database(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """Return an error where the database is of another kind, or keeps local times of a zone whose clocks change.

    It is not asked for anything.

    Without a type for moments it compares local times as they are. In the hour that comes twice a code then works for an
    hour more, or not at all (tried), and a session that begins on the day before lasts 23 or 25 hours.
    """
    alias = portal_database()
    connection = connections[alias]
    if connection.vendor not in _VENDORS:
        return [
            Error(
                f"The portal's tables are in the database {alias!r}, which is neither SQLite nor PostgreSQL.",
                hint="Route the app portal to one of these: its statements are written for them.",
                id="portal.E016",
            )
        ]
    # None without USE_TZ, with which the portal does not start.
    zone = connection.timezone
    if zone is None or connection.features.supports_timezones or _is_fixed(zone):
        return []
    return [
        Error(
            f"The database {alias!r} keeps times of a zone whose clocks change, and one hour a year comes twice there.",
            hint="Leave TIME_ZONE out of its entry in DATABASES, or route the app portal to another database.",
            id="portal.E015",
        )
    ]


def _is_fixed(zone: tzinfo) -> bool:
    # What clocks did before is nothing to what is stored from now on. Day by day: some change for a month only.
    today = clock.now().replace(tzinfo=None)
    return len({zone.utcoffset(today + timedelta(days=day)) for day in range(366)}) == 1
