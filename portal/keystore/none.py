"""The store of a project that has no keys."""

from __future__ import annotations

from portal.errors import ApiKeyNotFound

from .base import Key, KeyPage, KeyQuery, KeyStore, Owner
from .listing import page_of

__all__ = ["NoKeyStore"]


class NoKeyStore(KeyStore):
    """Nobody has a key, and none can be made; what the portal uses when no store is named and none installed."""

    time_limit = None
    shows_keys = False

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        """Return the empty page."""
        return page_of((), query)

    def get_key(self, owner: Owner, key_id: str) -> Key:
        """Return nothing.

        :raises ApiKeyNotFound: always.
        """
        raise ApiKeyNotFound
