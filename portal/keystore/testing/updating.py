"""Changing keys: each member alone and together, names, and versions."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portal import clock
from portal.errors import KeyChangedMeanwhile, KeyNameTaken
from portal.keystore.base import Key, KeyChanges, KeyQuery, KeyStore, Owner

from .hooks import Hooks, new_key

__all__ = ["UpdatingTests"]


def changed(key: Key, after: Key) -> dict[str, object]:
    """Return what of a key is not as it was, apart from what a change brings along."""
    names = ("id", "start", "name", "created_at", "enabled", "locked", "expires_at", "permissions", "old_secret")
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(key, name)}


class UpdatingTests(Hooks):
    """Changes of keys."""

    @pytest.mark.parametrize("member", ["name", "expires_at", "never", "enabled", "permissions"])
    def test_one_member_changes_alone(self, store: KeyStore, owner: Owner, member: str) -> None:
        """The answer is the key as it is then, with another version."""
        self.need(store, "update", *(["permissions"] if member == "permissions" else []))
        later = clock.now() + timedelta(days=60, milliseconds=3)
        changes: KeyChanges = {}
        if member == "name":
            changes["name"] = "Renamed"
        elif member == "expires_at":
            changes["expires_at"] = later
        elif member == "never":
            changes["expires_at"] = None
        elif member == "enabled":
            changes["enabled"] = False
        else:
            changes["permissions"] = self.permissions[1:]
        key = self.a_key(store, owner)
        after = store.update_key(owner, key.id, changes)
        assert changed(key, after) == changes
        assert after.version != key.version
        assert store.get_key(owner, key.id) == after
        assert store.list_keys(owner, KeyQuery()).keys == (after,)

    def test_several_members_change_together(self, store: KeyStore, owner: Owner) -> None:
        """And back."""
        self.need(store, "update")
        key = self.a_key(store, owner)
        changes: KeyChanges = {"name": "Renamed", "expires_at": None, "enabled": False}
        assert changed(key, store.update_key(owner, key.id, changes)) == changes
        back: KeyChanges = {"name": key.name, "expires_at": key.expires_at, "enabled": True}
        after = store.update_key(owner, key.id, back)
        assert changed(key, after) == {}
        assert store.get_key(owner, key.id) == after

    def test_permissions_can_be_taken_away(self, store: KeyStore, owner: Owner) -> None:
        """All of them."""
        self.need(store, "update", "permissions")
        key = self.a_key(store, owner)
        assert store.update_key(owner, key.id, {"permissions": ()}).permissions == ()

    def test_a_change_is_of_one_key(self, store: KeyStore, owner: Owner) -> None:
        """Others stay as they are."""
        self.need(store, "update")
        other, _ = self.make_key(store, owner, new_key("Other"))
        key = self.a_key(store, owner)
        store.update_key(owner, key.id, {"enabled": False, "expires_at": None})
        assert store.get_key(owner, other.id) == other

    def test_a_disabled_key_is_refused_until_it_is_enabled(self, store: KeyStore, owner: Owner) -> None:
        """By the host's API, at once."""
        self.need(store, "update")
        key, secret = self.make_key(store, owner, new_key())
        assert self.accepts(store, secret)
        store.update_key(owner, key.id, {"enabled": False})
        assert not self.accepts(store, secret)
        store.update_key(owner, key.id, {"enabled": True})
        assert self.accepts(store, secret)

    def test_another_end_holds_at_once(self, store: KeyStore, owner: Owner) -> None:
        """An earlier one refuses sooner, and a later one revives the key."""
        self.need(store, "update")
        now = clock.now()
        with self.at(now):
            key, secret = self.make_key(store, owner, new_key(expires_at=now + timedelta(days=2)))
            store.update_key(owner, key.id, {"expires_at": now + timedelta(days=1)})
        with self.at(now + timedelta(days=1)):
            assert not self.accepts(store, secret)
            store.update_key(owner, key.id, {"expires_at": now + timedelta(days=3)})
            assert self.accepts(store, secret)

    def test_a_taken_name_changes_nothing(self, store: KeyStore, owner: Owner, strangers: list[Owner]) -> None:
        """Not the other members either. Its own name a key may keep, and a stranger's is free."""
        self.need(store, "update")
        self.make_key(store, owner, new_key("Taken"))
        self.make_key(store, strangers[0], new_key("Theirs"))
        key = self.a_key(store, owner)
        with pytest.raises(KeyNameTaken):
            store.update_key(owner, key.id, {"name": "Taken", "enabled": False, "expires_at": None})
        assert store.get_key(owner, key.id) == key
        assert store.update_key(owner, key.id, {"name": key.name}).name == key.name
        assert store.update_key(owner, key.id, {"name": "Theirs"}).name == "Theirs"

    def test_a_name_is_free_when_its_key_has_another(self, store: KeyStore, owner: Owner) -> None:
        """For the next key."""
        self.need(store, "update")
        key = self.a_key(store, owner)
        store.update_key(owner, key.id, {"name": "Renamed"})
        again, _ = self.make_key(store, owner, new_key(key.name))
        assert again.id != key.id

    def test_another_version_changes_nothing(self, store: KeyStore, owner: Owner) -> None:
        """What somebody saw before another's change is no ground to change it."""
        self.need(store, "update")
        seen = self.a_key(store, owner)
        now = store.update_key(owner, seen.id, {"enabled": False}, version=seen.version)
        for version in (seen.version, "another"):
            with pytest.raises(KeyChangedMeanwhile):
                store.update_key(owner, seen.id, {"name": "Mine", "enabled": True}, version=version)
        assert store.get_key(owner, seen.id) == now

    def test_each_change_gives_another_version(self, store: KeyStore, owner: Owner) -> None:
        """Also two within one moment; and with the latest one may go on."""
        self.need(store, "update")
        key = self.a_key(store, owner)
        versions, enabled = [key.version], True
        with self.at(clock.now()):
            for _ in range(4):
                enabled = not enabled
                key = store.update_key(owner, key.id, {"enabled": enabled}, version=versions[-1])
                versions.append(key.version)
        assert all(versions)
        assert len(set(versions)) == 5

    def test_reading_gives_no_other_version(self, store: KeyStore, owner: Owner) -> None:
        """Nor does a use of the key."""
        key, secret = self.make_key(store, owner, new_key())
        if self.overrides("accepts"):
            assert self.accepts(store, secret)
        assert {store.get_key(owner, key.id).version for _ in range(3)} == {key.version}

    def a_key(self, store: KeyStore, owner: Owner) -> Key:
        """Make a key that has everything that can be changed."""
        wanted = new_key("Server", clock.now() + timedelta(days=30))
        if store.supports_permissions:
            wanted = replace(wanted, permissions=self.permissions[:1])
        return self.make_key(store, owner, wanted).key
