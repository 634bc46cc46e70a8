"""A store of a few lines over djangorestframework-api-key keeps to the protocol, and the how-to shows it as it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from portal.keystore import KeyStore
from portal.keystore.base import Owner
from portal.keystore.testing import KeyStoreConformance
from tests.docs.markdown import steps
from tests.hosts import apikeys
from tests.hosts.apikeys.models import CustomerKey
from tests.hosts.apikeys.store import CustomerKeyStore

HOST = Path(apikeys.__file__).parent
PAGE = "how-to/write-a-key-store.md"


@pytest.mark.django_db
class TestCustomerKeyStore(KeyStoreConformance):
    def make_store(self) -> CustomerKeyStore:
        return CustomerKeyStore()

    def accepts(self, store: KeyStore, secret: str) -> bool:
        return CustomerKey.objects.is_valid(secret)

    def lock(self, store: KeyStore, owner: Owner, key_id: str) -> None:
        assert CustomerKey.objects.of(owner).filter(key_id=key_id).update(locked=True)

    def at(self, moment: datetime) -> AbstractContextManager[Any]:
        # The package asks Django for the time, not the portal.
        return time_machine.travel(moment, tick=False)


@pytest.mark.parametrize("name", ["models.py", "store.py"])
def test_the_page_shows_the_files_that_are_tested(name: str) -> None:
    shown = [step.text for step in steps(PAGE) if step.language == "python"]
    assert (HOST / name).read_text() in shown


def test_the_store_has_less_than_80_lines() -> None:
    assert len((HOST / "store.py").read_text().splitlines()) < 80
