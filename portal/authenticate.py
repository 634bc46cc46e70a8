"""Who presents this credential: one fixed SQL statement each, no model instances.

Every request of every kind passes here, so this is the hot path: the ORM, not the database, is what makes token packages
slow. A test holds each answer against the ORM's on every state. What is read is judged here, by the app's clock.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import cast

from django.db import connections
from django.views.decorators.debug import sensitive_variables

from . import clock, tokens
from .credential_cache import remembered
from .identities import PREVIEW_TEXT, AuthenticatedRootKey, AuthenticatedSession
from .models import PortalConfig, PortalSession, RootKey
from .rawsql import columns, find

__all__ = [
    "PREVIEW_TEXT",
    "AuthenticatedRootKey",
    "AuthenticatedSession",
    "authenticate_root_key",
    "authenticate_session",
]

_SESSION_FIELDS = (
    "id",
    "public_id",
    "external_id",
    "display_name",
    "permissions",
    "capabilities",
    "preview",
    "keyspace_id",
    "return_url",
    "locale",
    "metadata",
    "created_at",
    "expires_at",
)
_CONFIG_FIELDS = ("id", "public_id", "slug", "display_name", "allowed_origins")
_ROOT_KEY_FIELDS = (
    "id",
    "public_id",
    "name",
    "permissions",
    "enabled",
    "expires_at",
    "key_hash",
    "previous_ends_at",
    "last_used_at",
)


# Built once a process from the models, so a renamed column cannot be missed.
@lru_cache(maxsize=8)
def _session_by_token(using: str) -> str:
    quote = connections[using].ops.quote_name
    return (
        f"SELECT {columns(PortalSession, _SESSION_FIELDS, 's', quote)}, "  # noqa: S608 - names of our own models
        f"{columns(PortalConfig, _CONFIG_FIELDS, 'c', quote)} FROM {quote(PortalSession._meta.db_table)} s "
        f"JOIN {quote(PortalConfig._meta.db_table)} c ON c.{quote('id')} = s.{quote('config_id')} "
        f"WHERE s.{quote('token_hash')} = %(digest)s AND s.{quote('revoked_at')} IS NULL AND c.{quote('enabled')} "
        # Not so where the portal was pointed elsewhere past PortalConfig.save(), as a bulk update does.
        f"AND c.{quote('keyspace_id')} = s.{quote('keyspace_id')}"
    )


@lru_cache(maxsize=8)
def _root_key_by_secret(using: str) -> str:
    quote = connections[using].ops.quote_name
    return (
        f"SELECT {columns(RootKey, _ROOT_KEY_FIELDS, 'k', quote)} FROM {quote(RootKey._meta.db_table)} k "  # noqa: S608
        f"WHERE k.{quote('key_hash')} = %(digest)s OR k.{quote('previous_key_hash')} = %(digest)s"
    )


@sensitive_variables("token")
def authenticate_session(token: str) -> AuthenticatedSession | None:
    """Return the live session of an access token, or None: unknown, expired, revoked and closed are one answer.

    Costs one query, or none when ``token`` cannot be an access token, or is remembered.
    """
    if not tokens.is_secret(token, tokens.ACCESS_TOKEN):
        return None
    digest = tokens.digest(token)
    session = remembered(PortalSession, digest, lambda: _load_session(digest))
    # Judged here and not in the query: one clock, and at each use of what is remembered.
    return session if session is not None and clock.now() < session.expires_at else None


def _load_session(digest: bytes) -> AuthenticatedSession | None:
    """Return the session of this hash unless something but time has ended it."""
    found = find(PortalSession, _session_by_token, digest=digest)
    expires_at = found.moment(12) if found else None
    # A session without an end would never end; the table's constraint refuses one, and so does this.
    if found is None or expires_at is None:
        return None
    row = found.values
    return AuthenticatedSession(
        pk=row[0],
        id=row[1],
        external_id=row[2],
        display_name=row[3],
        permissions=tuple(found.json(4)),
        capabilities=frozenset(row[5].split()),
        preview=bool(row[6]),
        keyspace_id=row[7],
        return_url=row[8],
        locale=row[9],
        metadata=found.json(10),
        created_at=cast(datetime, found.moment(11)),
        expires_at=expires_at,
        portal_pk=row[13],
        portal_id=row[14],
        portal_slug=row[15],
        portal_display_name=row[16],
        portal_allowed_origins=tuple(found.json(17)),
    )


@sensitive_variables("key")
def authenticate_root_key(key: str) -> AuthenticatedRootKey | None:
    """Return the root key of this secret, or None when it is unknown or has expired.

    The secret from before a rotation counts until its grace period ends. Costs one query, or none when ``key`` cannot be
    a root key, or is remembered.
    """
    if not tokens.is_secret(key, tokens.ROOT_KEY):
        return None
    digest = tokens.digest(key)
    found = remembered(RootKey, digest, lambda: _load_root_key(digest))
    if found is None:
        return None
    root_key, ends = found
    now = clock.now()
    return root_key if all(now < end for end in ends) else None


def _load_root_key(digest: bytes) -> tuple[AuthenticatedRootKey, tuple[datetime, ...]] | None:
    """Return the root key of this hash and what ends it: its expiry, and the grace period of a previous secret."""
    found = find(RootKey, _root_key_by_secret, digest=digest)
    if found is None:
        return None
    row = found.values
    expires_at, previous_ends_at, last_used_at = (found.moment(index) for index in (5, 7, 8))
    is_current = bytes(row[6]) == digest
    if not is_current and previous_ends_at is None:
        return None
    ends = tuple(end for end in (expires_at, None if is_current else previous_ends_at) if end is not None)
    root_key = AuthenticatedRootKey(
        pk=row[0],
        id=row[1],
        name=row[2],
        permissions=tuple(found.json(3)),
        enabled=bool(row[4]),
        last_used_at=last_used_at,
    )
    return root_key, ends
