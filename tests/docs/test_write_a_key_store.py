"""The how-to page about key stores, followed to the letter: its own conformance tests run, and its API is opened."""

from __future__ import annotations

from tests.docs.follower import Follower


def test_write_a_key_store(follower: Follower) -> None:
    follower.follow("how-to/write-a-key-store.md")
    assert follower.left == []
