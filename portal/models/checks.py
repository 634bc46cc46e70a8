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

__all__ = ["check_database"]


def check_database(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """Return an error where the database keeps local times of a zone whose clocks change; it is not asked for anything.

    Without a type for moments it compares local times as they are. In the hour that comes twice a code then works for an
    hour more, or not at all (tried), and a session that begins on the day before lasts 23 or 25 hours.
    """
    alias = router.db_for_write(PortalSession)
    connection = connections[alias]
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
