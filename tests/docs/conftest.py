"""Readers who have followed the tutorial, for the pages that begin where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.follower import Follower


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Follower:
    """Return a reader who has followed the tutorial to its end and stopped the server."""
    follower = Follower(tmp_path_factory.mktemp("tutorial"))
    try:
        follower.follow("tutorial.md")
    finally:
        follower.close()
    return follower


@pytest.fixture
def follower(tutorial: Follower, tmp_path: Path) -> Iterator[Follower]:
    """Return a reader who begins where the tutorial ends."""
    follower = tutorial.copy(tmp_path)
    yield follower
    follower.close()


@pytest.fixture
def logo() -> bytes:
    """Return an image that the reader has."""
    file = BytesIO()
    Image.new("RGB", (64, 64), "#2563eb").save(file, "PNG")
    return file.getvalue()
