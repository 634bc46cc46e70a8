"""The fixture ``portal_client`` for pytest with pytest-django; named in a ``conftest.py``, never loaded by itself.

No entry point ``pytest11``: that would load it, and Django with it, in every project that has the portal installed.
"""

from __future__ import annotations

import pytest

from .client import PortalClient

__all__ = ["portal_client"]


@pytest.fixture
def portal_client(db: None) -> PortalClient:
    """Return a browser that nobody is signed in to; the test may use the database."""
    return PortalClient()
