"""What a key store is: the protocol by which the portal works with anybody's API keys (design decision 17).

Subclass :class:`KeyStore`, name the class in ``PORTAL["KEY_STORE"]``, and run :mod:`portal.keystore.testing` against it.
Every call says whose keys it is about, first of all, so a store cannot be asked for keys without an owner. All times are
aware UTC datetimes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from portal.errors import Forbidden

from .data import (
    EXPIRES_SOON,
    IssuedKey,
    Key,
    KeyChanges,
    KeyCounts,
    KeyFilter,
    KeyPage,
    KeyQuery,
    KeySort,
    KeyState,
    NewKey,
    OldSecret,
    Owner,
    RateLimit,
)
from .uses import Outcome, UsageBucket, UsageSummary

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

__all__ = [
    "EXPIRES_SOON",
    "IssuedKey",
    "Key",
    "KeyChanges",
    "KeyCounts",
    "KeyFilter",
    "KeyPage",
    "KeyQuery",
    "KeySort",
    "KeyState",
    "KeyStore",
    "NewKey",
    "OldSecret",
    "Outcome",
    "Owner",
    "RateLimit",
    "UsageBucket",
    "UsageSummary",
]


class KeyStore(ABC):
    """Keeps API keys. Made once a process, and used by several threads at once.

    What a store raises is part of the protocol: the refusals of :mod:`portal.errors` that each method names. Anything else
    that it raises, and an answer that is not as described, becomes 502 in the envelope and a line in the log; a
    ``ConnectionError`` or ``TimeoutError``, and a call that takes too long, become 503.

    Set the ``supports_`` flags for what the store can do: pages leave out the rest, and nothing else is called.
    """

    #: Seconds that a call may take; it runs on a thread of its own. None for a store in the project's own database: its
    #: calls run in the caller's thread and transaction, and the database's time limits hold.
    time_limit: ClassVar[float | None] = 10.0

    #: Whether there is anything to show at all; only the store that stands for none says no.
    shows_keys: ClassVar[bool] = True
    supports_create: ClassVar[bool] = False
    supports_update: ClassVar[bool] = False
    supports_reroll: ClassVar[bool] = False
    #: Whether an old secret can stay for a while; without it every rotation ends the old one at once.
    supports_grace: ClassVar[bool] = False
    supports_revoke: ClassVar[bool] = False
    #: Whether keys have permissions of the host's API.
    supports_permissions: ClassVar[bool] = False
    supports_usage: ClassVar[bool] = False
    #: Whether the store can sum the use of many keys up itself; without it the portal does, of all that :meth:`usage` tells.
    supports_usage_summary: ClassVar[bool] = False
    #: Of how many keys that an owner has, at most, the store can tell the order by use; 0 if of none.
    usage_sort_limit: ClassVar[int] = 0

    @abstractmethod
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        """Return a page of the owner's keys; revoked ones are none. :func:`portal.keystore.listing.page_of` helps.

        :raises InvalidInput: the cursor is none of this query, or it is by use and the owner has more than
            ``usage_sort_limit`` keys.
        """

    @abstractmethod
    def get_key(self, owner: Owner, key_id: str) -> Key:
        """Return one of the owner's keys.

        :raises ApiKeyNotFound: the owner has no such key, whoever else may.
        """

    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        """Make a key.

        :param request_id: names the request, 1 to 255 characters; the same owner's second request of this name makes
            nothing, also when both come at once.
        :raises KeyAlreadyCreated: it was the second.
        :raises KeyNameTaken: another key of the owner has the name.
        :raises KeyLimitReached: the owner has ``config.key_limit`` keys, disabled and expired ones included.
        """
        raise Forbidden("The key store of this portal cannot create keys.")

    def update_key(self, owner: Owner, key_id: str, changes: KeyChanges, *, version: str = "") -> Key:
        """Change a key and return it as it is now.

        :param version: the key's version that the caller saw; empty to change it whatever it is.
        :raises ApiKeyNotFound: as for :meth:`get_key`; the same in all that follow.
        :raises KeyLocked: an operator locked it.
        :raises KeyChangedMeanwhile: it has another version.
        :raises KeyNameTaken: another key of the owner has the name.
        """
        raise Forbidden("The key store of this portal cannot change keys.")

    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        """Give a key a new secret; its id, name, end and permissions stay.

        The present secret works until ``grace`` has passed, to the second; zero ends it now. One from an earlier rotation
        ends now, whatever was left of it: a key has two secrets at most.

        :param request_id: as for :meth:`create_key`.
        :raises KeyAlreadyCreated: a second request of this name.
        :raises KeyLocked: an operator locked it.
        :raises KeyNotActive: it is disabled or has expired.
        """
        raise Forbidden("The key store of this portal cannot rotate keys.")

    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        """End the secret from before the last rotation now; without one nothing happens. Return the key.

        :raises KeyLocked: an operator locked it.
        """
        raise Forbidden("The key store of this portal cannot end an old secret early.")

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        """Refuse the key from now on, for ever; it is in no list any more, and its name is free.

        :raises KeyLocked: an operator locked it.
        """
        raise Forbidden("The key store of this portal cannot revoke keys.")

    def usage(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, key_ids: Sequence[str] | None = None
    ) -> Sequence[UsageBucket]:
        """Return how often the owner's keys were used from ``start`` until before ``end``.

        :param bucket: the length of a bucket, an hour or a day of UTC; buckets without use are left out.
        :param key_ids: only these; None for all, revoked ones included.
        """
        raise Forbidden("The key store of this portal does not know how often keys are used.")

    def usage_summary(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, most: int, since: datetime
    ) -> UsageSummary:
        """Return what :meth:`usage` does of all keys, but key by key only for the ``most`` used.

        It is for users with thousands of keys, of which a page or an answer could not tell one by one anyway.

        :param since: the most used keys are those used most from then on until before ``end``; not before ``start``.
        """
        raise Forbidden("The key store of this portal cannot sum up how often keys are used.")

    def purge(self, before: datetime, batch_size: int) -> int:
        """Delete what is left of up to ``batch_size`` keys that were revoked before ``before``; return their number."""
        return 0

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with the store's options, for ``manage.py check``."""
        return []
