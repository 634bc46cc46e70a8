"""What tests of key stores share."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.logs import RedactFilter
from portal.models import PortalConfig
from portal.request_id import RequestIdFilter
from tests.factories import sign_in


@pytest.fixture
def use(settings: Any) -> Callable[..., Any]:
    """Return ``use("RowStore", **options)``, which makes that double the project's key store and returns it."""
    from portal.keystore import get_key_store

    def take(name: str, **options: Any) -> Any:
        settings.PORTAL = {
            **settings.PORTAL,
            "KEY_STORE": {"BACKEND": f"tests.keystore.doubles.{name}", "OPTIONS": options},
        }
        return get_key_store().store

    # A store is kept as long as the setting stays; that of another test is no store of this one.
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "portal.keystore.none.NoKeyStore"}}
    get_key_store()
    return take


@pytest.fixture
def token(config: PortalConfig) -> str:
    """Return the access token of a user who may do everything."""
    return sign_in(config).secret


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """Return a function that returns what reached a handler with both filters, as a host has one."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactFilter())
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s [%(request_id)s] %(message)s"))
    logger = logging.getLogger("portal.keystore")
    logger.addHandler(handler)
    yield stream.getvalue
    logger.removeHandler(handler)
