"""Chromium and the portal of the tour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ARGUMENTS, _executable
from tests.pages.states import look

from .stage import Stage

__all__ = ["look"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=_executable(), args=ARGUMENTS)


@pytest.fixture(autouse=True)
def ground(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Playwright keeps an event loop running in this thread; the ORM is not used from it, only beside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.PORTAL = {"BASE_URL": "https://testserver"}


@pytest.fixture
def stage(chromium: Browser) -> Iterator[Callable[..., Stage]]:
    """Return a function that opens a window. At the end no console may have complained."""
    opened: list[Stage] = []

    def new(**options: Any) -> Stage:
        opened.append(Stage(chromium, **options))
        return opened[-1]

    yield new
    for one in opened:
        one.close()
    assert [line for one in opened for line in one.complaints] == []
    assert [url for one in opened for url in one.elsewhere] == []
