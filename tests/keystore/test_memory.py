"""The stores of this package and of these tests keep to the protocol, each as far as it says that it can."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from portal.errors import ApiKeyNotFound, PortalError
from portal.keystore import KeyStore
from portal.keystore.base import IssuedKey, KeyQuery, NewKey, Owner
from portal.keystore.memory import MemoryKeyStore
from portal.keystore.none import NoKeyStore
from portal.keystore.testing import KeyStoreConformance
from portal.keystore.testing.summing import SummingTests
from portal.keystore.testing.usage import UsageTests

from .doubles import CountingStore, MakingStore, ReadOnlyStore, RotatingStore


class TestMemoryKeyStore(KeyStoreConformance):
    def make_store(self) -> KeyStore:
        return MemoryKeyStore()

    def accepts(self, store: Any, secret: str) -> bool:
        taken: bool = store.accepts(secret)
        return taken

    def lock(self, store: Any, owner: Owner, key_id: str) -> None:
        store.lock(owner, key_id)

    def test_a_lock_can_be_taken_off(self, store: Any, owner: Owner) -> None:
        key, secret = self.make_key(store, owner, NewKey("Server", None))
        store.lock(owner, key.id)
        store.lock(owner, key.id, locked=False)
        assert store.accepts(secret)
        assert not store.get_key(owner, key.id).locked

    def test_a_use_shows(self, store: Any, owner: Owner) -> None:
        key, secret = self.make_key(store, owner, NewKey("Server", None))
        assert key.last_used_at is None
        assert store.accepts(secret)
        assert store.get_key(owner, key.id).last_used_at is not None

    def test_f22_requests_of_one_name_at_once_make_one_key(self, store: Any, owner: Owner) -> None:
        refused = []

        def create() -> None:
            try:
                store.create_key(owner, NewKey("Server", None), request_id="one")
            except PortalError as error:
                refused.append(type(error).__name__)

        threads = [threading.Thread(target=create) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == ["KeyAlreadyCreated"] * 7
        assert len(store.list_keys(owner, KeyQuery()).keys) == 1


class TestUsage(UsageTests, SummingTests):
    def make_store(self) -> KeyStore:
        return CountingStore()

    def accepts(self, store: Any, secret: str) -> bool:
        taken: bool = store.accepts(secret)
        return taken

    def test_the_double_counts(self, store: Any, owner: Owner) -> None:
        _, secret = self.make_key(store, owner, NewKey("Server", None))
        assert store.accepts(secret)
        assert len(store.uses) == 1


class TestReadOnly(KeyStoreConformance):
    def make_store(self) -> KeyStore:
        return ReadOnlyStore()

    def make_key(self, store: Any, owner: Owner, new: NewKey) -> IssuedKey:
        return MemoryKeyStore.create_key(store.others, owner, new, request_id=f"{new.name} {id(owner)}")


class TestMaking(KeyStoreConformance):
    def make_store(self) -> KeyStore:
        return MakingStore()


class TestRotating(TestReadOnly):
    def make_store(self) -> KeyStore:
        return RotatingStore()

    def lock(self, store: Any, owner: Owner, key_id: str) -> None:
        store.others.lock(owner, key_id)


class TestNoKeyStore(KeyStoreConformance):
    def make_store(self) -> KeyStore:
        return NoKeyStore()

    def test_it_is_none(self, store: KeyStore, owner: Owner) -> None:
        assert not store.shows_keys
        with pytest.raises(ApiKeyNotFound):
            store.get_key(owner, "key_1")


def test_only_the_tests_need_pytest() -> None:
    code = (
        "import sys, django; from django.conf import settings;"
        "settings.configure(INSTALLED_APPS=['portal'], USE_TZ=True); django.setup();"
        "import portal.keystore.actions, portal.keystore.memory; assert 'pytest' not in sys.modules;"
        "import portal.keystore.testing; assert 'pytest' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
