"""Fixtures that several test modules use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from portal.models import Issued, PortalConfig, RootKey
from portal.throttle import forget_counts
from tests.factories import PortalConfigFactory, issue_root_key


@pytest.fixture(autouse=True)
def counts_from_zero() -> None:
    """Let no test be throttled for what others did."""
    forget_counts()


@pytest.fixture
def config(db: None) -> PortalConfig:
    return PortalConfigFactory(slug="my-portal")


@pytest.fixture
def root_key(db: None) -> Issued[RootKey]:
    return issue_root_key()


@pytest.fixture
def api(client: Client) -> Callable[..., Any]:
    """Return ``api("createSession", body, token=…)``, which posts JSON and returns Django's response."""

    def call(operation: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return client.post(
            f"/v2/portal.{operation}",
            data={} if body is None else body,
            content_type="application/json",
            headers=headers,
        )

    return call


@pytest.fixture
def database_away() -> Callable[[Any], Any]:
    """Return ``database_away(error)``, a context in which every statement fails with ``error``."""

    def away(error: Any) -> Any:
        def fail(*args: Any) -> None:
            raise error

        return connection.execute_wrapper(fail)

    return away
