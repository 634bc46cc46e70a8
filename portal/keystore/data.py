"""What the portal and a key store tell each other: owners, keys, queries, pages. All times are aware UTC datetimes.

Import these from :mod:`portal.keystore.base`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from portal import tokens

if TYPE_CHECKING:
    from portal.models import PortalConfig

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
    "NewKey",
    "OldSecret",
    "Owner",
    "RateLimit",
]

#: A key that ends within this time expires soon.
EXPIRES_SOON = timedelta(days=7)

KeySort = Literal["created", "-created", "name", "-name", "expires", "-expires", "usage", "-usage"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose keys: those of one end user at one portal.

    :param config: the portal, with its policy for keys.
    :param external_id: the host's id of the user.
    """

    config: PortalConfig
    external_id: str

    @property
    def keyspace_id(self) -> str:
        """Which set of keys the portal shows: its keyspace id, or its own id, so that no two portals share by omission."""
        return self.config.keyspace


class KeyState(StrEnum):
    """What a key is at a moment; the first that is true."""

    LOCKED = "locked"
    DISABLED = "disabled"
    EXPIRED = "expired"
    ACTIVE = "active"


class KeyFilter(StrEnum):
    """Which keys a list shows. A locked key counts among the disabled; the last two are parts of the active."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    #: Active, and its end is within :data:`EXPIRES_SOON`.
    EXPIRING = "expiring"
    #: Active, and its old secret was used since the rotation.
    OLD_IN_USE = "old_in_use"


@dataclass(frozen=True, slots=True)
class OldSecret:
    """The secret from before the last rotation, while it still works.

    :param start: its first characters.
    :param ends_at: from then on it is refused.
    :param in_use: whether it was used since the rotation, as far as the store knows.
    """

    start: str
    ends_at: datetime
    in_use: bool = False


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How often a key may be used: ``limit`` times in each ``window``."""

    limit: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Key:
    """One API key as its owner sees it; never its secret.

    :param id: stable across rotations: 3 to 255 ASCII letters, digits and underscores.
    :param start: the first characters of the secret, by which people tell keys apart.
    :param locked: an operator's lock, which the owner cannot take off; ``enabled`` is the owner's own switch.
    :param version: changes whenever something changes that the owner can edit; opaque.
    """

    id: str
    start: str
    name: str
    created_at: datetime
    enabled: bool = True
    locked: bool = False
    expires_at: datetime | None = None
    updated_at: datetime | None = None
    last_used_at: datetime | None = None
    permissions: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    rate_limit: RateLimit | None = None
    old_secret: OldSecret | None = None
    version: str = ""

    def state(self, now: datetime) -> KeyState:
        """Return what the key is at ``now``."""
        if self.locked:
            return KeyState.LOCKED
        if not self.enabled:
            return KeyState.DISABLED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ACTIVE


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key and its secret in clear, in the one moment in which it is known."""

    key: Key
    secret: str

    def __iter__(self) -> Iterator[Any]:
        yield self.key
        yield self.secret

    def __repr__(self) -> str:
        return f"IssuedKey(key={self.key!r}, secret={tokens.mask(self.secret)!r})"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key shall be; checked against the portal's policy before a store sees it. ``expires_at`` None: never."""

    name: str
    expires_at: datetime | None
    permissions: tuple[str, ...] = ()


class KeyChanges(TypedDict, total=False):
    """What shall change of a key; what is left out stays."""

    name: str
    expires_at: datetime | None
    enabled: bool
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """Which part of an owner's keys.

    :param limit: at most so many, 1 to 100.
    :param cursor: ``next`` or ``previous`` of another page of the same query; empty for the first page.
    :param search: part of a name, or the beginning of a secret; upper and lower case are alike.
    :param sort: by time of creation, name, end or use; a minus is for descending. Keys without an end count as ending last.
        By use a store need not sort more keys of an owner than its ``usage_sort_limit``: with more it raises
        ``InvalidInput``. Uses go on between two pages, so a key that is used meanwhile may be on both, or on neither.
    :param used_since: where keys are sorted by use, only uses from this moment on count, the beginning of a day of UTC; None
        for all that are known.
    :param with_counts: whether the page needs ``counts``, ``matching`` and ``before``.
    """

    limit: int = 100
    cursor: str = ""
    filter: KeyFilter | None = None
    search: str = ""
    sort: KeySort = "-created"
    with_counts: bool = False
    used_since: datetime | None = None

    @property
    def by_usage(self) -> bool:
        """Whether keys are sorted by use."""
        return self.sort in {"usage", "-usage"}


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """How many keys the owner has, by :class:`KeyFilter` and in all, whatever the query filters and searches for."""

    total: int
    active: int
    disabled: int
    expired: int
    expiring: int
    old_in_use: int


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A page of keys.

    :param next: the cursor of the page after; empty when this is the last. ``previous`` likewise.
    :param counts: and ``matching``, how many keys the query finds, and ``before``, how many of them precede this page; None
        unless the query asked for counts.
    """

    keys: tuple[Key, ...]
    next: str = ""
    previous: str = ""
    counts: KeyCounts | None = None
    matching: int | None = None
    before: int | None = None
