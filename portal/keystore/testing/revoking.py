"""Revoked keys are gone, for ever."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from datetime import timedelta

import pytest

from portal import clock
from portal.errors import ApiKeyNotFound
from portal.keystore.base import KeyQuery, KeyStore, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["RevokingTests"]


class RevokingTests(Hooks):
    """The end of keys."""

    def test_a_revoked_key_is_gone(self, store: KeyStore, owner: Owner) -> None:
        """From the list, its counts and its searches; the others stay."""
        self.need(store, "revoke")
        other, _ = self.make_key(store, owner, new_key("Other"))
        key, _ = self.make_key(store, owner, new_key())
        store.revoke_key(owner, key.id)
        page = store.list_keys(owner, KeyQuery(with_counts=True))
        assert page.keys == (other,)
        assert page.counts is not None
        assert (page.counts.total, page.counts.active, page.matching) == (1, 1, 1)
        assert store.list_keys(owner, KeyQuery(search="Server")).keys == ()
        with pytest.raises(ApiKeyNotFound):
            store.get_key(owner, key.id)

    def test_a_revoked_key_cannot_be_revoked_changed_or_rotated(self, store: KeyStore, owner: Owner) -> None:
        """It is as one that never was."""
        self.need(store, "revoke")
        key, _ = self.make_key(store, owner, new_key())
        store.revoke_key(owner, key.id)
        with pytest.raises(ApiKeyNotFound):
            store.revoke_key(owner, key.id)
        if store.supports_update:
            with pytest.raises(ApiKeyNotFound):
                store.update_key(owner, key.id, {"enabled": True}, version=key.version)
        if store.supports_reroll:
            with pytest.raises(ApiKeyNotFound):
                store.reroll_key(owner, key.id, grace=timedelta(0), request_id=request_id())
        if store.supports_grace:
            with pytest.raises(ApiKeyNotFound):
                store.end_old_secret(owner, key.id)

    def test_a_revoked_key_is_refused(self, store: KeyStore, owner: Owner) -> None:
        """By the host's API, at once, while others work."""
        self.need(store, "revoke")
        _, other = self.make_key(store, owner, new_key("Other"))
        key, secret = self.make_key(store, owner, new_key())
        assert self.accepts(store, secret)
        store.revoke_key(owner, key.id)
        assert not self.accepts(store, secret)
        assert self.accepts(store, other)

    def test_a_revoked_keys_old_secret_is_refused(self, store: KeyStore, owner: Owner) -> None:
        """Whatever was left of its grace."""
        self.need(store, "revoke", "reroll", "grace")
        key, old = self.make_key(store, owner, new_key())
        _, new = store.reroll_key(owner, key.id, grace=timedelta(hours=1), request_id=request_id())
        store.revoke_key(owner, key.id)
        assert not self.accepts(store, old)
        assert not self.accepts(store, new)

    def test_a_revoked_keys_name_is_free(self, store: KeyStore, owner: Owner) -> None:
        """Another key may have it, as often as one likes."""
        self.need(store, "revoke")
        ids = set()
        for _ in range(3):
            key, _ = self.make_key(store, owner, new_key())
            ids.add(key.id)
            store.revoke_key(owner, key.id)
        assert len(ids) == 3

    def test_revoking_frees_a_place(self, store: KeyStore, external_id: str) -> None:
        """Within the owner's limit."""
        self.need(store, "revoke", "create")
        owner = self.make_owner(external_id, key_limit=1)
        key, _ = self.make_key(store, owner, new_key("first"))
        store.revoke_key(owner, key.id)
        key, _ = self.make_key(store, owner, new_key("second"))
        assert store.list_keys(owner, KeyQuery()).keys == (key,)

    def test_a_disabled_or_expired_key_can_be_revoked(self, store: KeyStore, owner: Owner) -> None:
        """Only a lock keeps a key."""
        self.need(store, "revoke")
        now = clock.now()
        with self.at(now):
            key, _ = self.make_key(store, owner, new_key(expires_at=now + timedelta(hours=1)))
            if store.supports_update:
                store.update_key(owner, key.id, {"enabled": False})
        with self.at(now + timedelta(hours=2)):
            store.revoke_key(owner, key.id)
            assert store.list_keys(owner, KeyQuery()).keys == ()

    def test_purging_leaves_keys_alone(self, store: KeyStore, owner: Owner) -> None:
        """It deletes what is left of revoked ones, says how many, and comes to an end."""
        key, _ = self.make_key(store, owner, new_key())
        if store.supports_revoke:
            doomed, _ = self.make_key(store, owner, new_key("doomed"))
            store.revoke_key(owner, doomed.id)
        later = clock.now() + timedelta(days=1)
        calls = 0
        while deleted := store.purge(later, 2):
            calls += 1
            assert (deleted <= 2, calls < 1000) == (True, True)
        assert store.list_keys(owner, KeyQuery()).keys == (key,)
