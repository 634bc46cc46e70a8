"""The how-to page on importing keys, followed from where the tutorial ends."""

from __future__ import annotations

from tests.docs.follower import Follower


def test_import_keys(follower: Follower) -> None:
    follower.follow("how-to/import-keys.md")
    assert follower.left == []
