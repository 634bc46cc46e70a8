"""Fixtures for the tests of API keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.contrib.keys.recorder import recorder
from tests.admin.conftest import operator

__all__ = ["operator"]


@pytest.fixture(autouse=True)
def nothing_noted() -> Iterator[None]:
    """Let nobody write what another test noted, nor the end of the process."""
    recorder.forget()
    yield
    recorder.forget()
