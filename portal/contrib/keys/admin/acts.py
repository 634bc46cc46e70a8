"""What an operator does with keys: through the models' verbs, and on record in the same transaction (decision 18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import router, transaction
from django.views.decorators.debug import sensitive_variables

from portal import clock
from portal.contrib.keys.models import ApiKey, KeyOwner, portals_of
from portal.contrib.keys.models.api_key import ApiKeyQuerySet
from portal.errors import KeyNameTaken
from portal.keystore.base import Owner
from portal.models import Actor, Issued, PortalConfig, PortalEvent

__all__ = ["change", "lock", "make", "revoke", "rotate", "unlock"]

Kind = PortalEvent.Kind


def lock(key: ApiKey, actor: Actor) -> bool:
    """Lock a key; return whether it was live and unlocked."""
    with _transaction():
        done = _keys().lock(key.public_id)
        return _recorded(done, Kind.KEY_LOCKED, key, actor)


def unlock(key: ApiKey, actor: Actor) -> bool:
    """Take the lock off; return whether the key was live and locked."""
    with _transaction():
        done = _keys().unlock(key.public_id)
        return _recorded(done, Kind.KEY_UNLOCKED, key, actor)


def revoke(key: ApiKey, actor: Actor) -> bool:
    """Refuse a key for ever, locked or not; return whether it was live."""
    with _transaction():
        done = _keys().live().revoke(key.public_id)
        return _recorded(done, Kind.KEY_REVOKED, key, actor)


def change(key: ApiKey, values: Mapping[str, Any], actor: Actor) -> bool:
    """Write columns of a key; return whether it was live."""
    with _transaction():
        done = _keys().live().change(key.public_id, **values)
        return _recorded(done, Kind.KEY_CHANGED, key, actor, fields=sorted(values))


@sensitive_variables("secret", "rotated")
def rotate(key: ApiKey, prefix: str, grace: timedelta, actor: Actor, *, revision: int) -> Issued[ApiKey] | None:
    """Give a key a new secret, whatever its state; None if it was revoked or changed meanwhile.

    :param prefix: what the secret begins with.
    :param grace: how long the present secret stays.
    :param revision: the key's revision that the operator saw, so that one form sent twice rotates once.
    """
    with _transaction():
        rotated = _keys().live().filter(revision=revision).rotate(key.public_id, prefix, grace)
        if rotated is None:
            return None
        row, secret = rotated
        ends = clock.to_milliseconds(clock.now() + grace)
        _recorded(1, Kind.KEY_ROTATED, row, actor, old_secret_ends=ends)
        return Issued(row, secret)


@sensitive_variables("secret")
def make(
    config: PortalConfig,
    external_id: str,
    actor: Actor,
    *,
    public_id: str,
    name: str,
    expires_at: datetime | None,
    permissions: list[str],
) -> Issued[ApiKey]:
    """Make a key for a user of a portal, whose limits are for its users, not for its operator.

    :raises KeyNameTaken: the user has a key of this name.
    :raises IntegrityError: a key has this public id.
    """
    keyspace_id = Owner(config, external_id).keyspace_id
    with _transaction():
        KeyOwner.objects.using(_using()).lock(keyspace_id, external_id)
        if _keys().owned_by(keyspace_id, external_id).filter(name=name).exists():
            raise KeyNameTaken
        key, secret = _keys().issue(
            config.key_prefix,
            public_id=public_id,
            keyspace_id=keyspace_id,
            external_id=external_id,
            name=name,
            expires_at=expires_at,
            permissions=permissions,
        )
        _recorded(1, Kind.KEY_CREATED, key, actor)
        return Issued(key, secret)


def _using() -> str:
    return router.db_for_write(ApiKey)


def _keys() -> ApiKeyQuerySet:
    return ApiKey.objects.using(_using())


def _transaction() -> transaction.Atomic:
    return transaction.atomic(using=_using())


def _recorded(done: int, kind: str, key: ApiKey, actor: Actor, **detail: Any) -> bool:
    if done:
        portal = portals_of([key.keyspace_id]).get(key.keyspace_id)
        PortalEvent.record(
            kind,
            actor,
            using=_using(),
            portal_id=portal.public_id if portal else "",
            external_id=key.external_id,
            key_id=key.public_id,
            name=key.name,
            **detail,
        )
    return bool(done)
