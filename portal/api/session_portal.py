"""The portal of an authenticated session, read again for an operation on keys: one fixed statement."""

from __future__ import annotations

import json
from datetime import tzinfo
from functools import lru_cache

from django.db import connections, models, router

from portal.authenticate import AuthenticatedSession
from portal.credentials import INVALID_TOKEN
from portal.errors import PortalSessionNotFound
from portal.models import PortalConfig, PortalSession
from portal.rawsql import array, look_up, moment, values

__all__ = ["portal_of"]

# All of them: a key store is given the portal, and may ask it for anything, from a thread with a connection of its own.
_FIELDS = tuple(field.name for field in PortalConfig._meta.concrete_fields)
_BOOLEANS = [field.name for field in PortalConfig._meta.concrete_fields if isinstance(field, models.BooleanField)]
_MOMENTS = [field.name for field in PortalConfig._meta.concrete_fields if isinstance(field, models.DateTimeField)]


def portal_of(session: AuthenticatedSession) -> PortalConfig:
    """Return the session's portal, whose policy holds and whose keys are meant.

    Read from the writer's database, and with the session's own keyspace in the condition: a portal that was pointed at
    other keys after the session was looked up would open those, and a remembered session may have been ended elsewhere.

    :raises PortalSessionNotFound: the portal was deleted, disabled or pointed elsewhere meanwhile, which ended the session.
    """
    found = look_up(PortalConfig, _by_session, _read, session=session.pk)
    if found is None:
        raise PortalSessionNotFound(headers={"WWW-Authenticate": INVALID_TOKEN})
    return found


def _read(text: str, zone: tzinfo | None) -> PortalConfig:
    row = dict(zip(_FIELDS, json.loads(text), strict=True))
    # SQLite has no booleans.
    row |= {name: bool(row[name]) for name in _BOOLEANS} | {name: moment(row[name], zone) for name in _MOMENTS}
    return PortalConfig.from_db(router.db_for_write(PortalConfig), list(row), list(row.values()))


@lru_cache(maxsize=8)
def _by_session(using: str) -> str:
    quote = connections[using].ops.quote_name
    return (
        f"SELECT {array(values(PortalConfig, _FIELDS, 'c', using), using)} "  # noqa: S608 - names of our own models
        f"FROM {quote(PortalConfig._meta.db_table)} c "
        f"JOIN {quote(PortalSession._meta.db_table)} s ON s.{quote('config_id')} = c.{quote('id')} "
        f"WHERE s.{quote('id')} = %(session)s AND s.{quote('revoked_at')} IS NULL "
        f"AND s.{quote('keyspace_id')} = c.{quote('keyspace_id')} AND c.{quote('enabled')}"
    )
