"""Keys in any state, put into whichever store is in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.keystore import get_key_store
from portal.keystore.base import Key, NewKey, Owner, RateLimit
from portal.keystore.memory import MemoryKeyStore
from portal.models import PortalConfig
from tests.doubles import MEMORY


def empty_memory_store(settings: Any) -> None:
    """Use a new store in memory."""
    # A store is kept as long as the setting stays; so that it is a new one, the setting has to change.
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "portal.keystore.none.NoKeyStore"}}
    get_key_store()
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": MEMORY}


def put(
    config: PortalConfig,
    name: str,
    *,
    external_id: str = "user_123",
    ends: timedelta | None = timedelta(days=90),
    made: timedelta = timedelta(0),
    used: timedelta | None = None,
    enabled: bool = True,
    locked: bool = False,
    grace: timedelta | None = None,
    old_in_use: bool = False,
    permissions: tuple[str, ...] = (),
    rate_limit: RateLimit | None = None,
) -> Key:
    """Put a key into the store, past every policy.

    :param ends: from now; negative for one that has expired, None for never.
    :param made: ago, and so ``used``; None for never.
    :param grace: rotate it, and keep the old secret for so long.
    """
    store, owner, now = get_key_store().store, Owner(config, external_id), clock.now()
    with clock.using(lambda: now - made):
        new = NewKey(name, None if ends is None else now + ends, permissions)
        key = store.create_key(owner, new, request_id=uuid4().hex).key
    if grace is not None:
        store.reroll_key(owner, key.id, grace=grace, request_id=uuid4().hex)
    if not enabled:
        store.update_key(owner, key.id, {"enabled": False})
    last_used_at = None if used is None else now - used
    if isinstance(store, MemoryKeyStore):
        kept = store.get_key(owner, key.id)
        old = kept.old_secret and replace(kept.old_secret, in_use=old_in_use)
        changed = replace(kept, last_used_at=last_used_at, rate_limit=rate_limit, old_secret=old, locked=locked)
        store._keys[owner.keyspace_id, external_id][key.id] = changed
    else:
        limit = {"rate_limit": rate_limit.limit, "rate_limit_seconds": rate_limit.window.seconds} if rate_limit else {}
        ApiKey.objects.filter(public_id=key.id).update(last_used_at=last_used_at, locked=locked, **limit)
        if old_in_use:
            secrets = KeySecret.objects.filter(key__public_id=key.id, ends_at__isnull=False)
            secrets.update(last_used_at=clock.now())
    return store.get_key(owner, key.id)
