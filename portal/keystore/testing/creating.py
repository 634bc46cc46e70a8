"""Making keys: what comes back, names, the limit, and requests that come twice."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from portal import clock
from portal.errors import KeyAlreadyCreated, KeyLimitReached, KeyNameTaken
from portal.keystore.base import Key, KeyQuery, KeyState, KeyStore, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["CreatingTests"]

_KEY_ID = re.compile(r"[0-9A-Za-z_]{3,255}", re.ASCII)
#: What must stay unknown of a secret when its start is known: 16 characters of base62 are 95 bits.
_UNSEEN = 16


class CreatingTests(Hooks):
    """New keys."""

    def test_a_new_key_is_as_wanted(self, store: KeyStore, owner: Owner) -> None:
        """Its name, end and permissions, to the millisecond; enabled, unlocked and active."""
        wanted = self.permissions if store.supports_permissions else ()
        ends = clock.now() + timedelta(days=30, milliseconds=7)
        key, secret = self.make_key(store, owner, new_key("Größe “日本” 🔑", ends, wanted))
        assert (key.name, key.expires_at) == ("Größe “日本” 🔑", ends)
        assert sorted(key.permissions) == sorted(wanted)
        assert (key.enabled, key.locked, key.old_secret) == (True, False, None)
        assert key.state(clock.now()) is KeyState.ACTIVE
        assert _KEY_ID.fullmatch(key.id)
        assert isinstance(secret, str)

    def test_a_new_key_is_in_list_and_get(self, store: KeyStore, owner: Owner) -> None:
        """The same in all three."""
        key, _ = self.make_key(store, owner, new_key(expires_at=clock.now() + timedelta(days=1)))
        assert store.get_key(owner, key.id) == key
        assert store.list_keys(owner, KeyQuery()).keys == (key,)

    def test_a_key_may_have_no_end(self, store: KeyStore, owner: Owner) -> None:
        """None is never."""
        key, _ = self.make_key(store, owner, new_key(expires_at=None))
        assert store.get_key(owner, key.id).expires_at is None

    def test_times_are_aware_and_utc(self, store: KeyStore, owner: Owner) -> None:
        """All of them."""
        before = clock.now()
        key, _ = self.make_key(store, owner, new_key(expires_at=before + timedelta(days=1)))
        for moment in (key.created_at, key.expires_at, key.updated_at, key.last_used_at):
            assert moment is None or moment.utcoffset() == timedelta(0)
        assert abs(key.created_at - before) < timedelta(minutes=5)

    def test_secrets_differ(self, store: KeyStore, owner: Owner) -> None:
        """So do ids."""
        made = [self.make_key(store, owner, new_key(name)) for name in ("one", "two", "three")]
        assert len({secret for _, secret in made}) == len({key.id for key, _ in made}) == 3

    def test_a_secret_is_in_nothing_but_the_answer(self, store: KeyStore, owner: Owner) -> None:
        """A key holds the first characters, and the rest cannot be guessed."""
        issued = self.make_key(store, owner, new_key())
        key, secret = issued
        assert secret.startswith(key.start)
        assert key.start
        assert len(secret) - len(key.start) >= _UNSEEN
        unseen = secret[len(key.start) :]
        for shown in (issued, key, store.get_key(owner, key.id), store.list_keys(owner, KeyQuery())):
            assert unseen not in repr(shown)
            assert unseen not in str(shown)

    def test_a_new_secret_opens_the_api(self, store: KeyStore, owner: Owner) -> None:
        """And what is not one does not."""
        _, secret = self.make_key(store, owner, new_key())
        assert self.accepts(store, secret)
        assert not self.accepts(store, secret[:-1])
        assert not self.accepts(store, secret + "0")
        assert not self.accepts(store, "")

    def test_a_key_is_refused_from_its_end_on(self, store: KeyStore, owner: Owner) -> None:
        """A millisecond before it works."""
        now = clock.now()
        with self.at(now):
            key, secret = self.make_key(store, owner, new_key(expires_at=now + timedelta(hours=1)))
        assert key.expires_at is not None
        with self.at(key.expires_at - timedelta(milliseconds=1)):
            assert self.accepts(store, secret)
        with self.at(key.expires_at):
            assert not self.accepts(store, secret)
            assert store.get_key(owner, key.id).state(key.expires_at) is KeyState.EXPIRED

    def test_a_name_is_taken_once_an_owner(self, store: KeyStore, owner: Owner, strangers: list[Owner]) -> None:
        """Others may have a key of the same name."""
        self.need(store, "create")
        self.create(store, owner)
        with pytest.raises(KeyNameTaken):
            self.create(store, owner)
        for stranger in strangers:
            self.create(store, stranger)
        assert len(store.list_keys(owner, KeyQuery()).keys) == 1

    def test_the_limit_counts_disabled_and_expired_keys(self, store: KeyStore, external_id: str) -> None:
        """And says how many there may be."""
        self.need(store, "create")
        owner, now = self.make_owner(external_id, key_limit=2), clock.now()
        with self.at(now):
            self.create(store, owner, "expired", ends_in=timedelta(hours=1))
        with self.at(now + timedelta(hours=1)):
            disabled = self.create(store, owner, "disabled")
            if store.supports_update:
                store.update_key(owner, disabled.id, {"enabled": False})
            with pytest.raises(KeyLimitReached) as caught:
                self.create(store, owner, "one too many")
            assert caught.value.limit == 2
            assert len(store.list_keys(owner, KeyQuery()).keys) == 2

    def test_a_limit_is_each_owners(self, store: KeyStore, external_id: str) -> None:
        """What others have does not count."""
        self.need(store, "create")
        for owner in (
            self.make_owner(external_id, key_limit=1),
            self.make_owner(f"{external_id}_2", key_limit=1),
            self.make_owner(external_id, other_portal=True, key_limit=1),
        ):
            self.create(store, owner)

    def test_a_request_makes_one_key(self, store: KeyStore, external_id: str) -> None:
        """Its repeat says which, although the name is taken and the limit reached meanwhile: by itself."""
        self.need(store, "create")
        owner, name = self.make_owner(external_id, key_limit=1), request_id()
        key, _ = store.create_key(owner, new_key(), request_id=name)
        for wanted in (new_key(), new_key("Another")):
            with pytest.raises(KeyAlreadyCreated) as caught:
                store.create_key(owner, wanted, request_id=name)
            assert caught.value.key_id == key.id
        assert store.list_keys(owner, KeyQuery()).keys == (key,)

    def test_a_request_makes_one_key_though_it_is_revoked(self, store: KeyStore, owner: Owner) -> None:
        """A repeat that comes late brings nothing back."""
        self.need(store, "create", "revoke")
        name = request_id()
        key, _ = store.create_key(owner, new_key(), request_id=name)
        store.revoke_key(owner, key.id)
        with pytest.raises(KeyAlreadyCreated):
            store.create_key(owner, new_key(), request_id=name)
        assert store.list_keys(owner, KeyQuery()).keys == ()

    def test_a_refused_request_may_be_mended(self, store: KeyStore, owner: Owner) -> None:
        """It made nothing, so the form that is sent again with another name is its first."""
        self.need(store, "create")
        self.create(store, owner)
        name = request_id()
        with pytest.raises(KeyNameTaken):
            store.create_key(owner, new_key(), request_id=name)
        key, _ = store.create_key(owner, new_key("Another"), request_id=name)
        assert store.get_key(owner, key.id).name == "Another"

    def test_requests_of_different_owners_are_different(
        self, store: KeyStore, owner: Owner, strangers: list[Owner]
    ) -> None:
        """Whatever they are named; and a name may have 255 characters."""
        self.need(store, "create")
        name = request_id().ljust(255, "~")
        made = [store.create_key(one, new_key(), request_id=name) for one in (owner, *strangers)]
        assert len({key.id for key, _ in made}) == 3

    def create(self, store: KeyStore, owner: Owner, name: str = "Server", ends_in: timedelta | None = None) -> Key:
        """Make a key by the store itself."""
        ends = None if ends_in is None else clock.now() + ends_in
        return store.create_key(owner, new_key(name, ends), request_id=request_id()).key
