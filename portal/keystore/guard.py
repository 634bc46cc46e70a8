"""Between the portal and a key store: time limits, and nothing that is not as the protocol says (fault table, F20)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core.checks import CheckMessage
from django.views.decorators.debug import sensitive_variables

from portal.deadline import Deadline
from portal.errors import (
    ApiKeyNotFound,
    Forbidden,
    InvalidInput,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
    KeyStoreFailed,
    KeyStoreUnavailable,
)
from portal.outage import DATABASE_AWAY

from .answers import is_issued, is_key, is_page, is_summary, is_usage
from .base import IssuedKey, Key, KeyChanges, KeyPage, KeyQuery, KeyStore, NewKey, Owner, UsageBucket, UsageSummary

__all__ = ["GuardedKeyStore"]

logger = logging.getLogger("portal.keystore")

_Answer = TypeVar("_Answer")

#: How many calls to a slow store may hang at the same time before further ones fail at once.
_AT_ONCE = 16

#: What a store may refuse with. Another error of the portal's would be a lie: its session has not ended, for example.
_REFUSALS = (
    ApiKeyNotFound,
    Forbidden,
    InvalidInput,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
)


class GuardedKeyStore(KeyStore):
    """A store whose every call keeps to the protocol or raises a refusal.

    :param store: the store itself.
    """

    def __init__(self, store: KeyStore) -> None:
        self.store = store
        self._deadline = None if store.time_limit is None else Deadline(store.time_limit, _AT_ONCE)

    def __getattribute__(self, name: str) -> Any:
        # What a store supports is the store's to say.
        if name in {"time_limit", "shows_keys", "usage_sort_limit"} or name.startswith("supports_"):
            return getattr(self.store, name)
        return super().__getattribute__(name)

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        """Return the store's page."""
        return self._call(lambda: self.store.list_keys(owner, query), lambda page: is_page(page, query))

    def get_key(self, owner: Owner, key_id: str) -> Key:
        """Return the store's key."""
        return self._call(lambda: self.store.get_key(owner, key_id), lambda key: is_key(key, key_id))

    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        """Return the new key."""
        return self._call(lambda: self.store.create_key(owner, new, request_id=request_id), is_issued)

    def update_key(self, owner: Owner, key_id: str, changes: KeyChanges, *, version: str = "") -> Key:
        """Return the changed key."""
        return self._call(
            lambda: self.store.update_key(owner, key_id, changes, version=version), lambda key: is_key(key, key_id)
        )

    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        """Return the key with its new secret."""
        return self._call(
            lambda: self.store.reroll_key(owner, key_id, grace=grace, request_id=request_id),
            lambda issued: is_issued(issued, key_id),
        )

    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        """Return the key without its old secret."""
        return self._call(lambda: self.store.end_old_secret(owner, key_id), lambda key: is_key(key, key_id))

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        """Revoke the key."""
        self._call(lambda: self.store.revoke_key(owner, key_id), lambda nothing: True)

    def usage(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, key_ids: Sequence[str] | None = None
    ) -> Sequence[UsageBucket]:
        """Return the store's buckets."""
        return self._call(
            lambda: self.store.usage(owner, start, end, bucket=bucket, key_ids=key_ids),
            is_usage,
        )

    def usage_summary(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, most: int, since: datetime
    ) -> UsageSummary:
        """Return the store's summary."""
        return self._call(
            lambda: self.store.usage_summary(owner, start, end, bucket=bucket, most=most, since=since),
            lambda summary: is_summary(summary, most, since),
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
            answer = self._ask(ask)
        except (*_REFUSALS, *DATABASE_AWAY):
            raise
        except (KeyStoreFailed, KeyStoreUnavailable) as error:
            logger.error("The key store says that it cannot: %s", type(error).__name__, exc_info=error)
            raise
        except (ConnectionError, TimeoutError) as error:
            logger.error("The key store does not answer: %s", type(error).__name__, exc_info=error)
            raise KeyStoreUnavailable from None
        except Exception as error:
            logger.error("The key store failed: %s", type(error).__name__, exc_info=error)
            raise KeyStoreFailed from None
        try:
            right = is_right(answer)
        except Exception:
            # Junk of a kind that cannot even be looked at.
            right = False
        if not right:
            # Its type, not the answer, and no traceback: those may hold a secret.
            logger.error("The key store answered what is not as the protocol says: %s", type(answer).__name__)
            raise KeyStoreFailed
        return answer

    def _ask(self, ask: Callable[[], _Answer]) -> _Answer:
        if self._deadline is None:
            return ask()
        # With the caller's context: the store's own log lines name the request, and its texts are in the user's language.
        context = copy_context()
        return self._deadline.call(lambda: context.run(ask))
