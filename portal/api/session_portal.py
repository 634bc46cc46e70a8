"""The portal of an authenticated session, read again for an operation on keys: one fixed statement."""

from __future__ import annotations

import json
from datetime import tzinfo
from functools import lru_cache

from django.db import connections, router

from portal.authenticate import AuthenticatedSession
from portal.credentials import INVALID_TOKEN
from portal.errors import PortalSessionNotFound
from portal.models import PortalConfig, PortalSession
from portal.rawsql import array, look_up, values

__all__ = ["portal_of"]

# What says which keys are meant, and what may be done with them.
_NEEDED = {"id", "public_id", "slug", "display_name", "enabled", "keyspace_id"}
# As the model has them, which is how it takes them.
_FIELDS = tuple(
    field.name for field in PortalConfig._meta.concrete_fields if field.name in _NEEDED or field.name.startswith("key_")
)


def portal_of(session: AuthenticatedSession) -> PortalConfig:
    """Return the session's portal, whose policy holds and whose keys are meant.

    Read from the writer's database, and with the session's own keyspace in the condition: a portal that was pointed at
    other keys after the session was looked up would open those, and a remembered session may have been ended elsewhere.
    Its brand and its origins are not loaded: Django reads such a field from the database when it is asked for.

    :raises PortalSessionNotFound: the portal was deleted, disabled or pointed elsewhere meanwhile, which ended the session.
    """
    found = look_up(PortalConfig, _by_session, _read, session=session.pk)
    if found is None:
        raise PortalSessionNotFound(headers={"WWW-Authenticate": INVALID_TOKEN})
    return found


def _read(text: str, zone: tzinfo | None) -> PortalConfig:
    row = dict(zip(_FIELDS, json.loads(text), strict=True))
    # SQLite has no booleans.
    row |= {"enabled": bool(row["enabled"]), "key_never_expires": bool(row["key_never_expires"])}
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
