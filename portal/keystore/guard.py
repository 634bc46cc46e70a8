"""Between the portal and a key store: time limits, and nothing that is not as the protocol says (fault table, F20)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core.checks import CheckMessage
from django.views.decorators.debug import sensitive_variables

from portal.deadline import Deadline
from portal.errors import KeyStoreFailed, KeyStoreUnavailable, PortalError
from portal.outage import DATABASE_AWAY

from .base import IssuedKey, Key, KeyChanges, KeyPage, KeyQuery, KeyStore, NewKey, Owner, UsageBucket

__all__ = ["GuardedKeyStore"]

logger = logging.getLogger("portal.keystore")

_Answer = TypeVar("_Answer")

#: How many calls to a slow store may hang at the same time before further ones fail at once.
_AT_ONCE = 16

_KEY_ID = re.compile(r"[0-9A-Za-z_]{3,255}\Z", re.ASCII)


class GuardedKeyStore(KeyStore):
    """A store whose every call keeps to the protocol or raises a refusal.

    :param store: the store itself.
    """

    def __init__(self, store: KeyStore) -> None:
        self.store = store
        self._deadline = None if store.time_limit is None else Deadline(store.time_limit, _AT_ONCE)

    def __getattribute__(self, name: str) -> Any:
        # What a store supports is the store's to say.
        if name in {"time_limit", "shows_keys"} or name.startswith("supports_"):
            return getattr(self.store, name)
        return super().__getattribute__(name)

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        """Return the store's page."""
        return self._call(lambda: self.store.list_keys(owner, query), lambda page: _is_page(page, query))

    def get_key(self, owner: Owner, key_id: str) -> Key:
        """Return the store's key."""
        return self._call(lambda: self.store.get_key(owner, key_id), lambda key: _is_key(key, key_id))

    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        """Return the new key."""
        return self._call(lambda: self.store.create_key(owner, new, request_id=request_id), _is_issued)

    def update_key(self, owner: Owner, key_id: str, changes: KeyChanges, *, version: str = "") -> Key:
        """Return the changed key."""
        return self._call(
            lambda: self.store.update_key(owner, key_id, changes, version=version), lambda key: _is_key(key, key_id)
        )

    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        """Return the key with its new secret."""
        return self._call(
            lambda: self.store.reroll_key(owner, key_id, grace=grace, request_id=request_id),
            lambda issued: _is_issued(issued, key_id),
        )

    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        """Return the key without its old secret."""
        return self._call(lambda: self.store.end_old_secret(owner, key_id), lambda key: _is_key(key, key_id))

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        """Revoke the key."""
        self._call(lambda: self.store.revoke_key(owner, key_id), lambda nothing: True)

    def usage(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, key_ids: Sequence[str] | None = None
    ) -> Sequence[UsageBucket]:
        """Return the store's buckets."""
        return self._call(
            lambda: self.store.usage(owner, start, end, bucket=bucket, key_ids=key_ids),
            _is_usage,
        )

    def purge(self, before: datetime, batch_size: int) -> int:
        """Return how many keys the store deleted."""
        # For cron, which has time; an error there is for its reader.
        return self.store.purge(before, batch_size)

    def check(self) -> list[CheckMessage]:
        """Return the store's own findings."""
        return self.store.check()

    @sensitive_variables("answer")
    def _call(self, ask: Callable[[], _Answer], is_right: Callable[[Any], bool]) -> _Answer:
        try:
            answer = ask() if self._deadline is None else self._deadline.call(ask)
        except (PortalError, *DATABASE_AWAY):
            raise
        except (ConnectionError, TimeoutError) as error:
            logger.error("The key store does not answer: %s", type(error).__name__, exc_info=error)
            raise KeyStoreUnavailable from None
        except Exception as error:
            logger.error("The key store failed", exc_info=error)
            raise KeyStoreFailed from None
        if not is_right(answer):
            # Its type, not the answer: that may hold a secret.
            logger.error("The key store answered what is not as the protocol says: %s", type(answer).__name__)
            raise KeyStoreFailed
        return answer


def _are(kind: type, *values: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def _are_moments(*values: Any) -> bool:
    return _are(datetime, *values) and all(value.utcoffset() is not None for value in values)


def _is_key(value: Any, key_id: str | None = None) -> bool:
    if not isinstance(value, Key) or (key_id is not None and value.id != key_id):
        return False
    moments = [value.expires_at, value.updated_at, value.last_used_at]
    if value.old_secret is not None:
        moments.append(value.old_secret.ends_at)
    return (
        _are(str, value.id, value.start, value.name, value.version, *value.permissions)
        and _KEY_ID.match(value.id) is not None
        and _are_moments(value.created_at, *(moment for moment in moments if moment is not None))
    )


def _is_usage(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(item, UsageBucket) for item in value)


def _is_page(value: Any, query: KeyQuery) -> bool:
    return (
        isinstance(value, KeyPage)
        and len(value.keys) <= query.limit
        and all(_is_key(key) for key in value.keys)
        and _are(str, value.next, value.previous)
        and (not query.with_counts or None not in (value.counts, value.matching, value.before))
    )


def _is_issued(value: Any, key_id: str | None = None) -> bool:
    return (
        isinstance(value, IssuedKey) and _is_key(value.key, key_id) and _are(str, value.secret) and value.secret != ""
    )
