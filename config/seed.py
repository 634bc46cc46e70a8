"""What the demo's customer has before you come: keys in every state that the portal shows, and what they were used for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.store import DatabaseKeyStore
from portal.keystore.base import NewKey, Owner
from portal.models import PortalConfig

from .seed_usage import give_usage
from .views import CUSTOMER

#: The key of the curl line that the demo prints.
QUICK_START = "Quick start"


@dataclass(frozen=True, slots=True)
class Seed:
    """A key; times are before or after now. ``ends_in`` None is never, ``used`` None never used."""

    name: str
    made: timedelta
    ends_in: timedelta | None
    used: timedelta | None
    permissions: tuple[str, ...] = ("tiles.read",)


DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

SEEDS = (
    Seed("Production server", 212 * DAY, None, 2 * MINUTE, ("tiles.read", "routes.read")),
    Seed("Staging", 34 * DAY, 56 * DAY, 20 * HOUR, ("tiles.read", "routes.read")),
    Seed("CI", 61 * DAY, 120 * DAY, 9 * MINUTE),
    Seed("Partner import", 87 * DAY, 3 * DAY, 5 * HOUR, ("tiles.read", "tiles.write")),
    Seed("Old laptop", 145 * DAY, 40 * DAY, 97 * DAY),
)
ROTATED, DISABLED = "CI", "Old laptop"


def give_keys(config: PortalConfig) -> None:
    """Give the customer keys, unless they ever had one, and 30 days in which they used them. Nobody learns the secrets."""
    owner = Owner(config, CUSTOMER["id"])
    if not ApiKey.objects.filter(keyspace_id=owner.keyspace_id, external_id=owner.external_id).exists():
        _make_keys(owner)
    give_usage(owner)


def _make_keys(owner: Owner) -> None:
    store, now = DatabaseKeyStore(), clock.now()
    with transaction.atomic():
        ids = {seed.name: _give(store, owner, seed, now) for seed in SEEDS}
        with clock.using(lambda: now - HOUR):
            store.reroll_key(owner, ids[ROTATED], grace=DAY, request_id="seed")
        # A job that somebody forgot to give the new secret.
        KeySecret.objects.filter(key__public_id=ids[ROTATED], ends_at__gt=now).update(last_used_at=now - 9 * MINUTE)
        store.update_key(owner, ids[DISABLED], {"enabled": False})


def _give(store: DatabaseKeyStore, owner: Owner, seed: Seed, now: datetime) -> str:
    ends = None if seed.ends_in is None else now + seed.ends_in
    with clock.using(lambda: now - seed.made):
        key, _ = store.create_key(owner, NewKey(seed.name, ends, seed.permissions), request_id=seed.name)
    used = None if seed.used is None else now - seed.used
    ApiKey.objects.filter(public_id=key.id).update(last_used_at=used)
    return key.id


def quick_start_key(config: PortalConfig) -> str:
    """Return a working key: the one of this name with a new secret, or a new one."""
    owner, now = Owner(config, CUSTOMER["id"]), clock.now()
    rows = ApiKey.objects.owned_by(owner.keyspace_id, owner.external_id).filter(name=QUICK_START)
    with transaction.atomic():
        key_id = rows.values_list("public_id", flat=True).first() or ""
        done = rows.active(now).rotate(key_id, config.key_prefix, timedelta(0))
        if done is None:
            # Disabled, locked or expired: this one is the demo's, so it is replaced.
            rows.revoke(key_id)
            done = ApiKey.objects.issue(
                config.key_prefix,
                keyspace_id=owner.keyspace_id,
                external_id=owner.external_id,
                name=QUICK_START,
                permissions=["tiles.read"],
                expires_at=now + 30 * DAY,
            )
    return done[1]
