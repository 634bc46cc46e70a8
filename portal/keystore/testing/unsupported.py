"""What a store says that it cannot do, it refuses."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal import clock
from portal.errors import Forbidden
from portal.keystore.base import KeyStore, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["UnsupportedTests"]

_KEY_ID = "key_0000000000000000000000"
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

#: By ``supports_`` flag.
_CALLS: dict[str, Callable[[KeyStore, Owner], Any]] = {
    "create": lambda store, owner: store.create_key(owner, new_key(), request_id=request_id()),
    "update": lambda store, owner: store.update_key(owner, _KEY_ID, {"enabled": False}),
    "reroll": lambda store, owner: store.reroll_key(owner, _KEY_ID, grace=timedelta(0), request_id=request_id()),
    "grace": lambda store, owner: store.end_old_secret(owner, _KEY_ID),
    "revoke": lambda store, owner: store.revoke_key(owner, _KEY_ID),
    "usage": lambda store, owner: store.usage(
        owner, clock.now() - timedelta(days=1), clock.now(), bucket=timedelta(hours=1)
    ),
    "usage_summary": lambda store, owner: store.usage_summary(
        owner, _BEGIN, _BEGIN + timedelta(days=1), bucket=timedelta(days=1), most=1, since=_BEGIN
    ),
}


class UnsupportedTests(Hooks):
    """Refusals of what is not supported."""

    def test_what_is_not_supported_is_refused(self, store: KeyStore, owner: Owner) -> None:
        """In words of its own: the default ones speak of the whole portal."""
        for ability, call in _CALLS.items():
            if not getattr(store, f"supports_{ability}"):
                with pytest.raises(Forbidden) as caught:
                    call(store, owner)
                assert caught.value.detail != Forbidden.default_detail

    def test_its_own_check_finds_nothing(self, store: KeyStore) -> None:
        """The store is tested as it is meant to be used."""
        assert store.check() == []
