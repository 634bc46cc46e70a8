"""Keys that an operator locked: their owner can look at them and no more."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from datetime import timedelta

import pytest

from portal import clock
from portal.errors import KeyLocked
from portal.keystore.base import Key, KeyState, KeyStore, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["LockingTests"]


class LockingTests(Hooks):
    """An operator's lock."""

    def test_a_lock_shows(self, store: KeyStore, owner: Owner) -> None:
        """It is not the owner's own switch."""
        key = self.a_locked_key(store, owner)
        assert (key.locked, key.enabled) == (True, True)
        assert key.state(clock.now()) is KeyState.LOCKED

    def test_a_locked_key_is_refused(self, store: KeyStore, owner: Owner) -> None:
        """By the host's API, at once."""
        key, secret = self.make_key(store, owner, new_key())
        assert self.accepts(store, secret)
        self.lock(store, owner, key.id)
        assert not self.accepts(store, secret)

    def test_a_locked_key_is_not_changed(self, store: KeyStore, owner: Owner) -> None:
        """Whatever the version."""
        self.need(store, "update")
        key = self.a_locked_key(store, owner)
        for version in ("", key.version):
            with pytest.raises(KeyLocked):
                store.update_key(owner, key.id, {"enabled": False, "name": "Mine"}, version=version)
        assert store.get_key(owner, key.id) == key

    def test_a_locked_key_is_not_rotated(self, store: KeyStore, owner: Owner) -> None:
        """Locked is what it is first of all, also when it is disabled as well."""
        self.need(store, "reroll")
        key, _ = self.make_key(store, owner, new_key())
        if store.supports_update:
            store.update_key(owner, key.id, {"enabled": False})
        self.lock(store, owner, key.id)
        key = store.get_key(owner, key.id)
        with pytest.raises(KeyLocked):
            store.reroll_key(owner, key.id, grace=timedelta(0), request_id=request_id())
        assert store.get_key(owner, key.id) == key

    def test_a_locked_keys_old_secret_is_not_ended(self, store: KeyStore, owner: Owner) -> None:
        """Nor does it work meanwhile."""
        self.need(store, "reroll", "grace")
        key, _ = self.make_key(store, owner, new_key())
        store.reroll_key(owner, key.id, grace=timedelta(hours=1), request_id=request_id())
        self.lock(store, owner, key.id)
        key = store.get_key(owner, key.id)
        with pytest.raises(KeyLocked):
            store.end_old_secret(owner, key.id)
        assert store.get_key(owner, key.id) == key

    def test_a_locked_keys_old_secret_is_refused(self, store: KeyStore, owner: Owner) -> None:
        """A lock is of all secrets of a key."""
        self.need(store, "reroll", "grace")
        key, old = self.make_key(store, owner, new_key())
        _, new = store.reroll_key(owner, key.id, grace=timedelta(hours=1), request_id=request_id())
        self.lock(store, owner, key.id)
        assert not self.accepts(store, old)
        assert not self.accepts(store, new)

    def test_a_locked_key_is_not_revoked(self, store: KeyStore, owner: Owner) -> None:
        """So it keeps its name, and what the operator wants to look at stays."""
        self.need(store, "revoke")
        key = self.a_locked_key(store, owner)
        with pytest.raises(KeyLocked):
            store.revoke_key(owner, key.id)
        assert store.get_key(owner, key.id) == key

    def a_locked_key(self, store: KeyStore, owner: Owner) -> Key:
        """Make a key and lock it."""
        key, _ = self.make_key(store, owner, new_key())
        self.lock(store, owner, key.id)
        return store.get_key(owner, key.id)
