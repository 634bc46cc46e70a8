"""Is this key good, now and for this? The hot path of a host's API: one fixed statement, no model instances, no write."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django.db import connections
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.credential_cache import remembered
from portal.keystore.base import Outcome, RateLimit
from portal.rawsql import array, kept, loaded, look_up, moment, values
from portal.throttle import Hit, hit

from .models import ApiKey, KeySecret
from .permission_query import PermissionQuery, queries
from .recorder import Use, recorder

__all__ = ["MAX_LENGTH", "Verification", "VerifiedKey", "verify"]

#: In characters; nothing longer is a key, an imported one neither.
MAX_LENGTH = 512

# A key of our own making, right or mistyped; a prefix has 16 characters at most.
_OWN_FORM = re.compile(r"[a-z][0-9a-z_]{0,15}_[0-9A-Za-z]{49}", re.ASCII)

_SECRET_FIELDS = ("id", "ends_at")
_KEY_FIELDS = (
    "id",
    "public_id",
    "keyspace_id",
    "external_id",
    "name",
    "enabled",
    "locked",
    "expires_at",
    "revoked_at",
    "permissions",
    "metadata",
    "rate_limit",
    "rate_limit_seconds",
)

# Where they stand in a row of the statement.
_SECRET = {name: index for index, name in enumerate(_SECRET_FIELDS)}
_KEY = {name: index for index, name in enumerate(_KEY_FIELDS, len(_SECRET_FIELDS))}


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """A key that was presented, as views see it: ``request.auth`` in DRF.

    :param expires_at: when what was presented ends, aware UTC: the key, or the old secret of a key that was rotated,
        whichever comes first. None for never.
    """

    pk: int
    secret_pk: int
    id: str
    keyspace_id: str
    external_id: str
    name: str
    permissions: tuple[str, ...]
    metadata_json: str
    expires_at: datetime | None
    rate_limit: RateLimit | None

    @property
    def metadata(self) -> dict[str, Any]:
        """What the operator noted with the key: the caller's own copy, as requests may share all else."""
        found: dict[str, Any] = json.loads(self.metadata_json)
        return found

    def has_permission(self, permission: str) -> bool:
        """Say whether the key has this permission; a star in one stands for itself."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of a key that was presented.

    :param key: None where nothing may be told of it: NOT_FOUND, and EXPIRED for an old secret that has ended. Otherwise
        it is there, refused or not: look at ``valid``.
    :param rate_limit: the count of this request; None where the key has no limit, or was refused before it was counted.
    :param missing: the first of the needed permissions that the key lacks, where that is the outcome.
    """

    outcome: Outcome
    key: VerifiedKey | None = None
    rate_limit: Hit | None = None
    missing: str = ""

    @property
    def valid(self) -> bool:
        """Whether the request may go on."""
        return self.outcome is Outcome.VALID


@dataclass(frozen=True, slots=True)
class _Known:
    """A key and what is judged of it at each use.

    :param granted: what becomes of it when nothing is against it and no request is counted.
    """

    key: VerifiedKey
    granted: Verification
    secret_ends_at: datetime | None
    locked: bool
    enabled: bool


@sensitive_variables("key", "secret")
def verify(
    key: str,
    *,
    permissions: str | Iterable[str | PermissionQuery] = (),
    keyspace_id: str | Collection[str] | None = None,
    tags: Iterable[str] = (),
) -> Verification:
    """Judge a key and count the request against the key's rate limit, unless something else refuses it before.

    The outcome is the first that holds: NOT_FOUND (unknown, revoked, of another keyspace), EXPIRED (an old secret after a
    rotation), FORBIDDEN (locked by an operator), DISABLED (by its owner), EXPIRED (the key), INSUFFICIENT_PERMISSIONS,
    RATE_LIMITED, VALID. Costs one query, or none for a key of our own form whose checksum is wrong.

    :param permissions: what the key must have: an expression (:mod:`~portal.contrib.keys.permission_query`), or single
        permissions, all of which it must have.
    :param keyspace_id: whose keys count: those of this keyspace, or of these; None for all.
    :param tags: words about the request, for the recorder.
    :raises PermissionQueryError: the expression is none; a ``ValueError``.
    """
    needed = queries(permissions)
    known = remembered(KeySecret, key, _load)
    if known is None or not _is_of(known.key.keyspace_id, keyspace_id):
        return Verification(Outcome.NOT_FOUND)
    now = clock.now()
    verification = _judge(known, needed, now)
    recorder.record(Use(known.key, verification.outcome, now, tuple(tags)))
    return verification


def _is_of(found: str, wanted: str | Collection[str] | None) -> bool:
    if wanted is None:
        return True
    return found == wanted if isinstance(wanted, str) else found in wanted


def _judge(known: _Known, needed: Iterable[PermissionQuery], now: datetime) -> Verification:
    key = known.key
    if known.secret_ends_at is not None and known.secret_ends_at <= now:
        # Before all else: who still has a secret that was replaced, and that may have leaked, learns nothing of the key.
        return Verification(Outcome.EXPIRED)
    if known.locked:
        return Verification(Outcome.FORBIDDEN, key)
    if not known.enabled:
        return Verification(Outcome.DISABLED, key)
    if key.expires_at is not None and key.expires_at <= now:
        return Verification(Outcome.EXPIRED, key)
    for query in needed:
        if not query.is_met(key.permissions):
            return Verification(Outcome.INSUFFICIENT_PERMISSIONS, key, missing=query.text)
    if key.rate_limit is None:
        return known.granted
    # The last of all: what is refused for another reason costs the key nothing.
    counted = hit("api_key", key.id, key.rate_limit.limit, int(key.rate_limit.window.total_seconds()))
    return Verification(Outcome.RATE_LIMITED if counted.exceeded else Outcome.VALID, key, counted)


def _load(key: str, digest: bytes) -> _Known | None:
    """Return the key with this secret, unless it is revoked."""
    if len(key) > MAX_LENGTH or (_OWN_FORM.fullmatch(key) and not tokens.has_checksum(key)):
        return None
    return look_up(KeySecret, _key_by_secret, _read, digest=digest)


@kept
def _read(text: str, zone: tzinfo | None) -> _Known | None:
    row = json.loads(text)
    if row[_KEY["revoked_at"]] is not None:
        return None
    secret_ends_at = moment(row[_SECRET["ends_at"]], zone)
    ends = [one for one in (secret_ends_at, moment(row[_KEY["expires_at"]], zone)) if one is not None]
    limit = row[_KEY["rate_limit"]]
    key = VerifiedKey(
        pk=row[_KEY["id"]],
        secret_pk=row[_SECRET["id"]],
        id=row[_KEY["public_id"]],
        keyspace_id=row[_KEY["keyspace_id"]],
        external_id=row[_KEY["external_id"]],
        name=row[_KEY["name"]],
        permissions=tuple(loaded(row[_KEY["permissions"]])),
        metadata_json=json.dumps(loaded(row[_KEY["metadata"]])),
        expires_at=min(ends, default=None),
        rate_limit=None if limit is None else RateLimit(limit, timedelta(seconds=row[_KEY["rate_limit_seconds"]])),
    )
    return _Known(
        key,
        Verification(Outcome.VALID, key),
        secret_ends_at,
        locked=bool(row[_KEY["locked"]]),
        enabled=bool(row[_KEY["enabled"]]),
    )


@lru_cache(maxsize=8)
def _key_by_secret(using: str) -> str:
    quote = connections[using].ops.quote_name
    selected = (
        *values(KeySecret, _SECRET_FIELDS, "s", using),
        *values(ApiKey, _KEY_FIELDS, "k", using, nested=False),
    )
    return (
        f"SELECT {array(selected, using)} FROM {quote(KeySecret._meta.db_table)} s "  # noqa: S608 - names of our models
        f"JOIN {quote(ApiKey._meta.db_table)} k ON k.{quote('id')} = s.{quote('key_id')} "
        f"WHERE s.{quote('secret_hash')} = %(digest)s"
    )
