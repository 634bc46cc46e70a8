"""Fixtures that several test modules use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from portal import credential_cache, throttle
from portal.contrib.keys.recorder import recorder
from portal.models import Issued, PortalConfig, RootKey
from portal.throttle import forget_counts
from tests.factories import PortalConfigFactory, issue_root_key
from tests.redis import Redis, redis_server


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Let no test be throttled for what others did, nor write what others noted of keys that were used."""
    forget_counts()
    credential_cache.forget()
    recorder.forget()
    yield
    recorder.forget()


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


@pytest.fixture
def shared_cache(settings: Any) -> Iterator[Redis]:
    """Let the cache ``default`` be a Redis of the test's own."""
    with redis_server() as server:
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": server.url}
        }
        yield server


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time: what these tests count must be in the cache, however long that takes."""
    monkeypatch.setattr(throttle._deadline, "seconds", 10)
