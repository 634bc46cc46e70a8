"""Who is in: the live sessions of a portal, user by user, in pages (wire contract section 6, ``listSessions``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connections, router
from django.db.models import F, QuerySet, Value, Window
from django.db.models.functions import DenseRank, Left, RowNumber

from .config import PortalConfig
from .session import PortalSession

__all__ = ["MAX_SESSIONS_PER_USER", "LiveSession", "LiveSessionPage", "UserSessions", "list_live_sessions"]

#: Of one user, an answer holds so many at most: whoever mints in a loop must not make it grow without end.
MAX_SESSIONS_PER_USER = 100

_COLUMNS = ("external_id", "public_id", "capabilities", "created_at", "code_expires_at", "expires_at")


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that can still be used.

    :param id: its public id, ``ps_…``; no secret.
    :param pending: whether its link was not opened yet.
    :param capabilities: what it may do, in the usual order.
    :param created_at: when it was minted, aware.
    :param expires_at: when it ends by itself, aware; of a pending one, when its link does.
    """

    id: str
    pending: bool
    capabilities: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UserSessions:
    """One user's live sessions, the newest first.

    :param has_more: whether there are older ones too; at most :data:`MAX_SESSIONS_PER_USER` are here.
    """

    external_id: str
    sessions: tuple[LiveSession, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class LiveSessionPage:
    """Some of the users that are in, by external id.

    :param next: the last one's external id, after which the next page begins; empty on the last page.
    """

    users: tuple[UserSessions, ...]
    next: str


def list_live_sessions(config: PortalConfig, *, limit: int = 100, after: str = "", search: str = "") -> LiveSessionPage:
    """Return the users who have a live session at a portal, pending codes included, with those sessions.

    One statement, so a page is a moment's truth. A page begins after an external id and not after so many rows: what
    begins or ends between two pages loses nobody else's place.

    :param limit: how many users at most.
    :param after: the external id after which the page begins.
    :param search: only external ids that begin with this, capitals and all; no character in it is special.
    """
    using = router.db_for_write(PortalSession)
    rows = _of_portal(PortalSession.objects.using(using).live(), config, using)
    if after:
        rows = rows.filter(external_id__gt=after)
    if search:
        # LIKE would not do: SQLite's does not tell capitals from small letters.
        rows = rows.alias(start=Left("external_id", len(search))).filter(start=Value(search))
    found = (
        rows.annotate(
            user_number=Window(DenseRank(), order_by="external_id"),
            session_number=Window(RowNumber(), partition_by="external_id", order_by="-id"),
        )
        .filter(user_number__lte=limit + 1, session_number__lte=MAX_SESSIONS_PER_USER + 1)
        .order_by("user_number", "session_number")
    )
    users = [_user(external_id, [*group]) for external_id, group in groupby(found.values_list(*_COLUMNS), _external_id)]
    return LiveSessionPage(tuple(users[:limit]), users[limit - 1].external_id if len(users) > limit else "")


def _of_portal(rows: QuerySet[PortalSession], config: PortalConfig, using: str) -> QuerySet[PortalSession]:
    """Return a portal's of the live ``rows``, such that the database goes by what is live.

    SQLite knows nothing of how many rows have ended and would go through all that the portal ever had. It does not
    where the portal is no column but a sum.
    """
    if connections[using].vendor == "sqlite":
        return rows.alias(portal=F("config_id") + 0).filter(portal=config.pk)
    return rows.filter(config=config)


def _external_id(row: tuple[Any, ...]) -> Any:
    return row[0]


def _user(external_id: str, rows: list[tuple[Any, ...]]) -> UserSessions:
    sessions = tuple(
        LiveSession(
            public_id, expires_at is None, tuple(capabilities.split()), created_at, expires_at or code_expires_at
        )
        for _, public_id, capabilities, created_at, code_expires_at, expires_at in rows[:MAX_SESSIONS_PER_USER]
    )
    return UserSessions(external_id, sessions, len(rows) > MAX_SESSIONS_PER_USER)
