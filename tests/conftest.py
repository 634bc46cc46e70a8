"""Fixtures that several test modules use."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
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

#: What starts other programs, which takes long. Not the faults: they look at the time, and are better off beside little.
LONG = ["looks", "browser", "docs", "test_demo.py", "test_production.py", "test_package.py"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collect no garbage meanwhile, and never look for any in what was imported: that takes half as long as the imports."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that at the end no process waits for another; the rest keeps its random order.

    Each folder's together: what its tests share, such as a browser, is started once.
    """

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONG.index(name) if name in LONG else len(LONG)

    items.sort(key=place)


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
