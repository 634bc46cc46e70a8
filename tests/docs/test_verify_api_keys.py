"""The how-to of verification, followed to the letter from where the tutorial ends."""

from __future__ import annotations

from tests.docs.follower import Follower


def test_verify_api_keys(follower: Follower) -> None:
    follower.follow("how-to/verify-api-keys.md")
    assert follower.left == []
