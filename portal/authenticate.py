"""Who presents this credential: one fixed SQL statement each, no model instances.

Every request of every kind passes here, so this is the hot path: the ORM, not the database, is what makes token packages
slow. A test holds each answer against the ORM's on every state. What is read is judged here, by the app's clock.
"""

from __future__ import annotations

import json
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import cast

from django.db import connections
from django.views.decorators.debug import sensitive_variables

from . import clock, tokens
from .credential_cache import remembered
from .identities import PREVIEW_TEXT, AuthenticatedRootKey, AuthenticatedSession
from .models import PortalConfig, PortalSession, RootKey
from .rawsql import array, kept, loaded, look_up, moment, values

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
    "previous_ends_at",
    "last_used_at",
)

_RootKey = tuple[AuthenticatedRootKey, datetime | None]


# Built once a process from the models, so a renamed column cannot be missed.
@lru_cache(maxsize=8)
def _session_by_token(using: str) -> str:
    quote = connections[using].ops.quote_name
    is_alive = (
        f"s.{quote('revoked_at')} IS NULL AND c.{quote('enabled')} "
        # Not so where the portal was pointed elsewhere past PortalConfig.save(), as a bulk update does.
        f"AND c.{quote('keyspace_id')} = s.{quote('keyspace_id')}"
    )
    selected = (
        *values(PortalSession, _SESSION_FIELDS, "s", using, nested=False),
        *values(PortalConfig, _CONFIG_FIELDS, "c", using, nested=False),
        # Among the values, because as a condition PostgreSQL would plan for it, at almost a tenth of the whole.
        is_alive,
    )
    return (
        f"SELECT {array(selected, using)} FROM {quote(PortalSession._meta.db_table)} s "  # noqa: S608 - names of our models
        f"JOIN {quote(PortalConfig._meta.db_table)} c ON c.{quote('id')} = s.{quote('config_id')} "
        f"WHERE s.{quote('token_hash')} = %(digest)s"
    )


@lru_cache(maxsize=8)
def _root_key_by_secret(using: str) -> str:
    quote = connections[using].ops.quote_name
    is_current = f"k.{quote('key_hash')} = %(digest)s"
    selected = (*values(RootKey, _ROOT_KEY_FIELDS, "k", using, nested=False), is_current)
    return (
        f"SELECT {array(selected, using)} FROM {quote(RootKey._meta.db_table)} k "  # noqa: S608
        f"WHERE {is_current} OR k.{quote('previous_key_hash')} = %(digest)s"
    )


@sensitive_variables("token", "secret")
def authenticate_session(token: str, *, afresh: bool = False) -> AuthenticatedSession | None:
    """Return the live session of an access token, or None: unknown, expired, revoked and closed are one answer.

    Costs one query, or none when ``token`` cannot be an access token, or is remembered.

    :param afresh: ask the database, whatever is remembered.
    """
    session = _load_session(token, tokens.digest(token)) if afresh else remembered(PortalSession, token, _load_session)
    # Judged here and not in the query: one clock, and at each use of what is remembered.
    return session if session is not None and clock.now() < session.expires_at else None


def _load_session(token: str, digest: bytes) -> AuthenticatedSession | None:
    """Return the session of this token unless something but time has ended it."""
    if not tokens.is_secret(token, tokens.ACCESS_TOKEN):
        return None
    return look_up(PortalSession, _session_by_token, _read_session, digest=digest)


@kept
def _read_session(text: str, zone: tzinfo | None) -> AuthenticatedSession | None:
    *row, is_alive = json.loads(text)
    expires_at = moment(row[12], zone)
    # A session without an end would never end; the table's constraint refuses one, and so does this.
    if not is_alive or expires_at is None:
        return None
    return AuthenticatedSession(
        pk=row[0],
        id=row[1],
        external_id=row[2],
        display_name=row[3],
        permissions=tuple(loaded(row[4])),
        capabilities=frozenset(row[5].split()),
        preview=bool(row[6]),
        keyspace_id=row[7],
        return_url=row[8],
        locale=row[9],
        metadata_json=json.dumps(loaded(row[10])),
        created_at=cast(datetime, moment(row[11], zone)),
        expires_at=expires_at,
        portal_pk=row[13],
        portal_id=row[14],
        portal_slug=row[15],
        portal_display_name=row[16],
        portal_allowed_origins=tuple(loaded(row[17])),
    )


@sensitive_variables("key", "secret")
def authenticate_root_key(key: str) -> AuthenticatedRootKey | None:
    """Return the root key of this secret, or None when it is unknown or has expired.

    The secret from before a rotation counts until its grace period ends. Costs one query, or none when ``key`` cannot be
    a root key, or is remembered.
    """
    found = remembered(RootKey, key, _load_root_key)
    if found is None:
        return None
    root_key, ends_at = found
    return root_key if ends_at is None or clock.now() < ends_at else None


def _load_root_key(key: str, digest: bytes) -> _RootKey | None:
    """Return the root key of this secret and when that ends: at its expiry or, of a previous secret, the grace period's."""
    if not tokens.is_secret(key, tokens.ROOT_KEY):
        return None
    return look_up(RootKey, _root_key_by_secret, _read_root_key, digest=digest)


@kept
def _read_root_key(text: str, zone: tzinfo | None) -> _RootKey | None:
    *row, is_current = json.loads(text)
    expires_at, previous_ends_at, last_used_at = (moment(value, zone) for value in row[5:])
    if not is_current and previous_ends_at is None:
        return None
    ends = tuple(end for end in (expires_at, None if is_current else previous_ends_at) if end is not None)
    root_key = AuthenticatedRootKey(
        pk=row[0],
        id=row[1],
        name=row[2],
        permissions=tuple(loaded(row[3])),
        enabled=bool(row[4]),
        last_used_at=last_used_at,
    )
    return root_key, min(ends, default=None)
