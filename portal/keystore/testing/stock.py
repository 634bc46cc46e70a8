"""An owner's keys in every state that the store knows, for the tests of lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal import clock
from portal.keystore.base import EXPIRES_SOON, Key, KeyFilter, KeySort, KeyStore, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["SORTS", "Stock", "StockedTests"]

#: The orders that every store has.
SORTS: tuple[KeySort, ...] = ("created", "-created", "name", "-name", "expires", "-expires")

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)

#: Name and end, counted from the moment at which lists are looked at; in the order in which the keys are made. Names are
#: in another order than times, and hold what a pattern of SQL would take for a wildcard.
_KEYS: tuple[tuple[str, timedelta | None], ...] = (
    ("mobile app", None),
    ("build_server", 30 * _DAY),
    ("build-server", 3 * _DAY),
    ("zapier", EXPIRES_SOON),
    ("airflow", EXPIRES_SOON + _MILLISECOND),
    ("sync 50% off", -_MINUTE),
    ("laptop", timedelta(0)),
    ("website", _MILLISECOND),
    ("disabled", 60 * _DAY),
    ("off and over", -2 * _MINUTE),
    ("locked", 90 * _DAY),
    ("quarantine", None),
    ("rotated", 120 * _DAY),
    ("export job", 45 * _DAY),
)

_ALWAYS = {
    KeyFilter.EXPIRED: {"sync 50% off", "laptop", "off and over"},
    KeyFilter.EXPIRING: {"build-server", "zapier", "website"},
}


@dataclass(frozen=True)
class Stock:
    """What was made.

    :param now: when the lists are looked at.
    :param keys: as they are then, in the order of their creation.
    :param shown: the names of the keys that each filter shows.
    """

    now: datetime
    keys: tuple[Key, ...]
    shown: dict[KeyFilter, set[str]]

    def named(self, names: set[str]) -> list[str]:
        """Return the ids of the keys of these names, in the order of their creation."""
        return [key.id for key in self.keys if key.name in names]


class StockedTests(Hooks):
    """Tests that need many keys."""

    def stock(self, store: KeyStore, owner: Owner) -> Stock:
        """Make a key of every state: disabled, locked and rotated ones where the store and the hooks can."""
        now = clock.now()
        ids: dict[str, str] = {}
        for number, (name, ends) in enumerate(_KEYS):
            with self.at(now - _DAY + number * _MINUTE):
                issued = self.make_key(store, owner, new_key(name, None if ends is None else now + ends))
            ids[name] = issued.key.id
            if name == "rotated":
                old = issued.secret
        with self.at(now):
            disabled = self._disable(store, owner, ids) | self._lock(store, owner, ids)
            old_in_use = self._rotate(store, owner, ids["rotated"], old)
            keys = tuple(store.get_key(owner, key_id) for key_id in ids.values())
        expired = _ALWAYS[KeyFilter.EXPIRED] - disabled
        shown = {
            KeyFilter.ACTIVE: set(ids) - disabled - expired,
            KeyFilter.DISABLED: disabled,
            KeyFilter.EXPIRED: expired,
            KeyFilter.EXPIRING: _ALWAYS[KeyFilter.EXPIRING],
            KeyFilter.OLD_IN_USE: {"rotated"} if old_in_use else set(),
        }
        return Stock(now, keys, shown)

    def _disable(self, store: KeyStore, owner: Owner, ids: dict[str, str]) -> set[str]:
        if not store.supports_update:
            return set()
        for name in ("disabled", "off and over"):
            store.update_key(owner, ids[name], {"enabled": False})
        return {"disabled", "off and over"}

    def _lock(self, store: KeyStore, owner: Owner, ids: dict[str, str]) -> set[str]:
        if not self.overrides("lock"):
            return set()
        if store.supports_update:
            store.update_key(owner, ids["quarantine"], {"enabled": False})
        for name in ("locked", "quarantine"):
            self.lock(store, owner, ids[name])
        return {"locked", "quarantine"}

    def _rotate(self, store: KeyStore, owner: Owner, key_id: str, old: str) -> bool:
        """Rotate a key, use its old secret, and return whether the store knows."""
        if not store.supports_reroll or not store.supports_grace:
            return False
        store.reroll_key(owner, key_id, grace=timedelta(hours=1), request_id=request_id())
        if self.overrides("accepts"):
            self.accepts(store, old)
        key = store.get_key(owner, key_id)
        return key.old_secret is not None and key.old_secret.in_use
