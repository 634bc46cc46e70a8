"""Rotations: what stays, when the old secret ends, and requests that come twice."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portal import clock
from portal.errors import KeyAlreadyCreated, KeyNotActive
from portal.keystore.base import IssuedKey, KeyQuery, KeyStore, OldSecret, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["RotatingTests"]

_GRACE = timedelta(hours=1)
_NOW = timedelta(0)
_BEFORE = timedelta(milliseconds=1)


class RotatingTests(Hooks):
    """New secrets for old keys."""

    def test_a_rotation_changes_the_secret_and_nothing_else(self, store: KeyStore, owner: Owner) -> None:
        """Id, name, end and permissions stay."""
        self.need(store, "reroll")
        wanted = new_key("Server", clock.now() + timedelta(days=30, milliseconds=5))
        if store.supports_permissions:
            wanted = replace(wanted, permissions=self.permissions)
        key, secret = self.make_key(store, owner, wanted)
        after, other = self.rotate(store, owner, key.id)
        for name in ("id", "name", "created_at", "expires_at", "permissions", "enabled", "locked"):
            assert getattr(after, name) == getattr(key, name), name
        assert other != secret
        assert other.startswith(after.start)
        assert other[len(after.start) :] not in repr(after)
        assert store.get_key(owner, key.id) == after
        assert store.list_keys(owner, KeyQuery()).keys == (after,)

    def test_without_grace_the_old_secret_ends_at_once(self, store: KeyStore, owner: Owner) -> None:
        """Not a millisecond later."""
        self.need(store, "reroll")
        with self.at(clock.now()):
            key, old = self.make_key(store, owner, new_key())
            assert self.accepts(store, old)
            after, new = self.rotate(store, owner, key.id)
            assert after.old_secret is None
            assert not self.accepts(store, old)
            assert self.accepts(store, new)

    def test_the_key_says_when_its_old_secret_ends(self, store: KeyStore, owner: Owner) -> None:
        """And how that begins; afterwards there is none."""
        self.need(store, "reroll", "grace")
        now = clock.now()
        with self.at(now):
            key, _ = self.make_key(store, owner, new_key())
            after, _ = self.rotate(store, owner, key.id, _GRACE)
            assert after.old_secret == OldSecret(key.start, now + _GRACE)
        with self.at(now + _GRACE - _BEFORE):
            assert store.get_key(owner, key.id).old_secret == after.old_secret
        with self.at(now + _GRACE):
            assert store.get_key(owner, key.id).old_secret is None

    def test_grace_ends_to_the_second(self, store: KeyStore, owner: Owner) -> None:
        """A millisecond before, both secrets work; from the end on, the new one alone."""
        self.need(store, "reroll", "grace")
        now = clock.now()
        with self.at(now):
            key, old = self.make_key(store, owner, new_key())
            _, new = self.rotate(store, owner, key.id, _GRACE)
            assert self.accepts(store, old)
        for moment, works in ((now + _GRACE - _BEFORE, True), (now + _GRACE, False), (now + 2 * _GRACE, False)):
            with self.at(moment):
                assert self.accepts(store, old) is works
                assert self.accepts(store, new)

    def test_a_key_has_two_secrets_at_most(self, store: KeyStore, owner: Owner) -> None:
        """A second rotation ends the first old secret, whatever was left of it."""
        self.need(store, "reroll", "grace")
        with self.at(clock.now()):
            key, first = self.make_key(store, owner, new_key())
            _, second = self.rotate(store, owner, key.id, _GRACE)
            _, third = self.rotate(store, owner, key.id, _GRACE)
            assert [self.accepts(store, secret) for secret in (first, second, third)] == [False, True, True]
            _, fourth = self.rotate(store, owner, key.id)
            works = [self.accepts(store, secret) for secret in (first, second, third, fourth)]
            assert works == [False, False, False, True]

    def test_an_ended_secret_never_comes_back(self, store: KeyStore, owner: Owner) -> None:
        """Neither when its grace is over and the key is rotated with another, nor at a later end of the key."""
        self.need(store, "reroll", "grace")
        now = clock.now()
        with self.at(now):
            key, first = self.make_key(store, owner, new_key())
            self.rotate(store, owner, key.id, _GRACE)
        with self.at(now + 2 * _GRACE):
            self.rotate(store, owner, key.id, 2 * _GRACE)
            assert not self.accepts(store, first)

    def test_an_old_secret_ends_with_its_key(self, store: KeyStore, owner: Owner) -> None:
        """Grace makes no key longer."""
        self.need(store, "reroll", "grace")
        now = clock.now()
        with self.at(now):
            key, old = self.make_key(store, owner, new_key(expires_at=now + _GRACE))
            _, new = self.rotate(store, owner, key.id, 2 * _GRACE)
        with self.at(now + _GRACE):
            assert not self.accepts(store, old)
            assert not self.accepts(store, new)

    def test_an_old_secret_can_end_early(self, store: KeyStore, owner: Owner) -> None:
        """A second time nothing happens, nor without an old one."""
        self.need(store, "reroll", "grace")
        key, _ = self.make_key(store, owner, new_key())
        assert store.end_old_secret(owner, key.id) == key
        self.rotate(store, owner, key.id, _GRACE)
        after = store.end_old_secret(owner, key.id)
        assert after.old_secret is None
        assert store.get_key(owner, key.id) == after
        assert store.end_old_secret(owner, key.id) == after

    def test_an_old_secret_that_ended_early_is_refused(self, store: KeyStore, owner: Owner) -> None:
        """The new one works on."""
        self.need(store, "reroll", "grace")
        with self.at(clock.now()):
            key, old = self.make_key(store, owner, new_key())
            _, new = self.rotate(store, owner, key.id, _GRACE)
            store.end_old_secret(owner, key.id)
            assert not self.accepts(store, old)
            assert self.accepts(store, new)

    def test_a_request_rotates_once(self, store: KeyStore, owner: Owner) -> None:
        """Its repeat says which key, and the secret that the first one gave is still the key's."""
        self.need(store, "reroll")
        key, _ = self.make_key(store, owner, new_key())
        name = request_id()
        after, _ = store.reroll_key(owner, key.id, grace=_NOW, request_id=name)
        with pytest.raises(KeyAlreadyCreated) as caught:
            store.reroll_key(owner, key.id, grace=_NOW, request_id=name)
        assert caught.value.key_id == key.id
        assert store.get_key(owner, key.id) == after

    def test_a_repeat_leaves_the_secrets_alone(self, store: KeyStore, owner: Owner) -> None:
        """Both work on."""
        self.need(store, "reroll", "grace")
        key, old = self.make_key(store, owner, new_key())
        name = request_id()
        _, new = store.reroll_key(owner, key.id, grace=_GRACE, request_id=name)
        with pytest.raises(KeyAlreadyCreated):
            store.reroll_key(owner, key.id, grace=_NOW, request_id=name)
        assert self.accepts(store, old)
        assert self.accepts(store, new)

    def test_rotations_of_different_owners_are_different(
        self, store: KeyStore, owner: Owner, strangers: list[Owner]
    ) -> None:
        """Whatever their requests are named."""
        self.need(store, "reroll")
        name = request_id()
        for one in (owner, *strangers):
            key, _ = self.make_key(store, one, new_key())
            assert store.reroll_key(one, key.id, grace=_NOW, request_id=name).key.id == key.id

    def test_a_disabled_key_is_not_rotated(self, store: KeyStore, owner: Owner) -> None:
        """And stays as it is."""
        self.need(store, "reroll", "update")
        key, _ = self.make_key(store, owner, new_key())
        key = store.update_key(owner, key.id, {"enabled": False})
        with pytest.raises(KeyNotActive):
            self.rotate(store, owner, key.id)
        assert store.get_key(owner, key.id) == key

    def test_an_expired_key_is_not_rotated(self, store: KeyStore, owner: Owner) -> None:
        """From its end on; a millisecond before it is."""
        self.need(store, "reroll")
        now = clock.now()
        with self.at(now):
            key, _ = self.make_key(store, owner, new_key(expires_at=now + _GRACE))
        with self.at(now + _GRACE - _BEFORE):
            key, _ = self.rotate(store, owner, key.id)
        with self.at(now + _GRACE):
            with pytest.raises(KeyNotActive):
                self.rotate(store, owner, key.id)
            assert store.get_key(owner, key.id) == key

    def rotate(self, store: KeyStore, owner: Owner, key_id: str, grace: timedelta = _NOW) -> IssuedKey:
        """Rotate a key."""
        return store.reroll_key(owner, key_id, grace=grace, request_id=request_id())
