"""The portal of an authenticated session, read again for an operation on keys: one fixed statement."""

from __future__ import annotations

from functools import lru_cache

from django.db import connections

from portal.authenticate import AuthenticatedSession
from portal.credentials import INVALID_TOKEN
from portal.errors import PortalSessionNotFound
from portal.models import PortalConfig, PortalSession
from portal.portal_lookup import read_portal, whole_portal
from portal.rawsql import look_up

__all__ = ["portal_of"]


def portal_of(session: AuthenticatedSession) -> PortalConfig:
    """Return the session's portal, whose policy holds and whose keys are meant.

    Read from the writer's database, and with the session's own keyspace in the condition: a portal that was pointed at
    other keys after the session was looked up would open those, and a remembered session may have been ended elsewhere.

    :raises PortalSessionNotFound: the portal was deleted, disabled or pointed elsewhere meanwhile, which ended the session.
    """
    found = look_up(PortalConfig, _by_session, read_portal, session=session.pk)
    if found is None:
        raise PortalSessionNotFound(headers={"WWW-Authenticate": INVALID_TOKEN})
    return found


@lru_cache(maxsize=8)
def _by_session(using: str) -> str:
    quote = connections[using].ops.quote_name
    return (
        f"SELECT {whole_portal('c', using)} "  # noqa: S608 - names of our own models
        f"FROM {quote(PortalConfig._meta.db_table)} c "
        f"JOIN {quote(PortalSession._meta.db_table)} s ON s.{quote('config_id')} = c.{quote('id')} "
        f"WHERE s.{quote('id')} = %(session)s AND s.{quote('revoked_at')} IS NULL "
        f"AND s.{quote('keyspace_id')} = c.{quote('keyspace_id')} AND c.{quote('enabled')}"
    )
