"""The default store keeps to the protocol, and so does what it says of keys to the host's API."""

from __future__ import annotations

import pytest

from portal.contrib.keys.models import ApiKey
from portal.contrib.keys.recorder import recorder
from portal.contrib.keys.store import DatabaseKeyStore
from portal.contrib.keys.verify import verify
from portal.keystore import KeyStore
from portal.keystore.base import Owner
from portal.keystore.testing import KeyStoreConformance


@pytest.mark.django_db
class TestDatabaseKeyStore(KeyStoreConformance):
    def make_store(self) -> DatabaseKeyStore:
        return DatabaseKeyStore()

    def accepts(self, store: KeyStore, secret: str) -> bool:
        accepted = verify(secret).valid
        recorder.flush()  # as happens when a request ends
        return accepted

    def lock(self, store: KeyStore, owner: Owner, key_id: str) -> None:
        assert ApiKey.objects.owned_by(owner.keyspace_id, owner.external_id).lock(key_id)
