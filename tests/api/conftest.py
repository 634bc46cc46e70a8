"""What tests of the operations on keys share."""

from __future__ import annotations

from typing import Any

import pytest

from portal.keystore import get_key_store
from portal.keystore.memory import MemoryKeyStore
from portal.models import PortalConfig
from tests.doubles import MEMORY
from tests.factories import PortalConfigFactory, sign_in


@pytest.fixture
def store(settings: Any) -> MemoryKeyStore:
    """Return the key store, which is empty."""
    # The store is kept as long as the setting stays; so that it is a new one, the setting has to change.
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "portal.keystore.none.NoKeyStore"}}
    get_key_store()
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": MEMORY}
    kept: Any = get_key_store().store
    return kept


@pytest.fixture
def config(db: None) -> PortalConfig:
    return PortalConfigFactory(slug="my-portal", key_permissions=["maps.read", "maps.write"], key_prefix="acme_live")


@pytest.fixture
def token(config: PortalConfig) -> str:
    """Return the access token of a user who may do everything."""
    return sign_in(config).secret
