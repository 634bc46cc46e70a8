"""What a store's author says to the tests, and what the tests share."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, ClassVar

import pytest

from portal import clock
from portal.keystore.base import IssuedKey, KeyStore, NewKey, Owner
from portal.models import PortalConfig

__all__ = ["Hooks", "new_key", "request_id"]


def new_key(name: str = "Server", expires_at: datetime | None = None, permissions: tuple[str, ...] = ()) -> NewKey:
    """Return what a key shall be."""
    return NewKey(name, expires_at, permissions)


def request_id() -> str:
    """Return a name that no other request has."""
    return uuid.uuid4().hex


class Hooks:
    """What the author overrides; only :meth:`make_store` must be."""

    #: Two permissions that keys of the store may have, for stores with ``supports_permissions``.
    permissions: ClassVar[tuple[str, str]] = ("maps.read", "maps.write")

    def make_store(self) -> KeyStore:
        """Return the store to test. Called once a test; what other tests left in it does no harm."""
        raise NotImplementedError

    def make_owner(self, external_id: str, *, other_portal: bool = False, **policy: Any) -> Owner:
        """Return the owner ``external_id``, whose keys the store can keep.

        By default of a portal that is in no database, with a keyspace of its own.

        :param other_portal: of a second portal, with other keys.
        :param policy: fields of the portal, such as ``key_limit``.
        """
        number = 2 if other_portal else 1
        config = PortalConfig(slug=f"conformance-{number}", keyspace_id=f"conformance_{number}", **policy)
        return Owner(config, external_id)

    def make_key(self, store: KeyStore, owner: Owner, new: NewKey) -> IssuedKey:
        """Make a key. For stores that cannot create keys; the others are asked to."""
        if not store.supports_create:
            pytest.skip("The store cannot create keys: override make_key(store, owner, new).")
        return store.create_key(owner, new, request_id=request_id())

    def accepts(self, store: KeyStore, secret: str) -> bool:
        """Say whether the host's API takes ``secret`` now. A use of the key, where the store counts those."""
        pytest.skip("Whether a secret works is not known: override accepts(store, secret).")

    def lock(self, store: KeyStore, owner: Owner, key_id: str) -> None:
        """Lock a key, as an operator does. For stores whose keys can be locked."""
        pytest.skip("How a key is locked is not known: override lock(store, owner, key_id).")

    def at(self, moment: datetime) -> AbstractContextManager[Any]:
        """Return a context in which the store takes it to be ``moment``; by default it moves :mod:`portal.clock`.

        For a store that has a clock of its own. One that nobody can set skips: ``pytest.skip("…")``.
        """
        return clock.using(lambda: moment)

    @pytest.fixture
    def store(self) -> KeyStore:
        """Return the store."""
        return self.make_store()

    @pytest.fixture
    def external_id(self) -> str:
        """Return a user that no other test has."""
        return f"user_{uuid.uuid4().hex}"

    @pytest.fixture
    def owner(self, external_id: str) -> Owner:
        """Return the owner of the keys, who may have any number of them."""
        return self.make_owner(external_id, key_limit=None, key_permissions=list(self.permissions))

    @pytest.fixture
    def strangers(self, external_id: str) -> list[Owner]:
        """Return owners of other keys: another user of the portal, and the same one's namesake at another portal."""
        return [
            self.make_owner(f"{external_id}_2", key_limit=None, key_permissions=list(self.permissions)),
            self.make_owner(external_id, other_portal=True, key_limit=None, key_permissions=list(self.permissions)),
        ]

    def need(self, store: KeyStore, *abilities: str) -> None:
        """Skip the test unless the store ``supports_`` all of ``abilities``."""
        for ability in abilities:
            if not getattr(store, f"supports_{ability}"):
                pytest.skip(f"The store does not set supports_{ability}.")

    @classmethod
    def overrides(cls, hook: str) -> bool:
        """Say whether the author overrode ``hook``, for keys that a list holds only where it can."""
        return getattr(cls, hook) is not getattr(Hooks, hook)
