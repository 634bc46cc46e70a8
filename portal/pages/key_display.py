"""What a key looks like on the pages: its status, its times in words, and what may be done with it (ui-spec 2.4).

Words are made when a template asks for them, because only then is the page's language active.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import clock
from portal.keystore.actions import SessionKeys
from portal.keystore.base import EXPIRES_SOON, Key, KeyState

from .refusal_texts import duration

__all__ = [
    "UNUSED_AFTER",
    "KeyActions",
    "KeyDisplay",
    "Status",
    "actions_for",
    "actions_of",
    "kind_of",
    "masked",
    "relative",
    "status_of",
]

#: A key that was not used for this long is worth a hint.
UNUSED_AFTER = timedelta(days=30)

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MONTH, _YEAR = 30.44 * _DAY, 365.25 * _DAY

# Seconds in the unit, how many of them are told in it, and the words, ahead and ago.
_UNITS: tuple[tuple[float, int | None, Callable[[int], str], Callable[[int], str]], ...] = (
    (
        _MINUTE,
        60,
        lambda n: ngettext("in %(n)d minute", "in %(n)d minutes", n),
        lambda n: ngettext("%(n)d minute ago", "%(n)d minutes ago", n),
    ),
    (
        _HOUR,
        24,
        lambda n: ngettext("in %(n)d hour", "in %(n)d hours", n),
        lambda n: ngettext("%(n)d hour ago", "%(n)d hours ago", n),
    ),
    (
        _DAY,
        60,
        lambda n: ngettext("in %(n)d day", "in %(n)d days", n),
        lambda n: ngettext("%(n)d day ago", "%(n)d days ago", n),
    ),
    (
        _MONTH,
        24,
        lambda n: ngettext("in %(n)d month", "in %(n)d months", n),
        lambda n: ngettext("%(n)d month ago", "%(n)d months ago", n),
    ),
    (
        _YEAR,
        None,
        lambda n: ngettext("in %(n)d year", "in %(n)d years", n),
        lambda n: ngettext("%(n)d year ago", "%(n)d years ago", n),
    ),
)


_WORDS = {
    "locked": gettext_lazy("Locked"),
    "off": gettext_lazy("Disabled"),
    "bad": gettext_lazy("Expired"),
    "warn": gettext_lazy("Expires soon"),
    "ok": gettext_lazy("Active"),
}


class Status(NamedTuple):
    """A status in two ways, so that color is never alone: the shape, a ``kind`` of the element ``badge``, and the word."""

    kind: str
    word: str

    @classmethod
    def of_kind(cls, kind: str) -> Status:
        """Return the status of this kind, with its word in the active language."""
        return cls(kind, str(_WORDS[kind]))


class KeyActions(NamedTuple):
    """What a page offers to do with a key; what is not allowed is absent, never disabled."""

    edit: bool = False
    rotate: bool = False
    revoke: bool = False
    end_old: bool = False


def masked(start: str) -> str:
    """Return how a secret is shown of which only the first characters are known."""
    return f"{start}••••"


def relative(moment: datetime, now: datetime) -> str:
    """Return how far ``moment`` is from ``now`` in words, as it stands within a sentence: “in 3 days”, “2 hours ago”."""
    seconds = (moment - now).total_seconds()
    if abs(seconds) < _MINUTE:
        return _("in less than a minute") if seconds > 0 else _("just now")
    for unit, limit, ahead, ago in _UNITS:  # pragma: no branch - the last one has no limit
        # What is over counts whole: that is how the form to rotate counts. A month is a rough measure.
        number = int(-seconds // unit) if seconds < 0 and unit <= _DAY else round(abs(seconds) / unit)
        if limit is None or number < limit:
            number = max(1, number)
            return (ahead if seconds > 0 else ago)(number) % {"n": number}
    raise AssertionError  # pragma: no cover


def status_of(key: Key, now: datetime) -> Status:
    """Return the status of ``key`` in the active language."""
    return Status.of_kind(kind_of(key, now))


def kind_of(key: Key, now: datetime) -> str:
    """Return the kind of the status of ``key``."""
    match key.state(now):
        case KeyState.LOCKED:
            return "locked"
        case KeyState.DISABLED:
            return "off"
        case KeyState.EXPIRED:
            return "bad"
        case _ if key.expires_at is not None and key.expires_at <= now + EXPIRES_SOON:
            return "warn"
        case _:
            return "ok"


def actions_for(keys: SessionKeys) -> KeyActions:
    """Return what the session and the store allow, of any key.

    A preview is shown the pages, which say that they are off; what acts without a page of its own is left out for it.
    """
    allows, store = keys.session.allows, keys.store
    may_rotate = allows("keys:reroll") and store.supports_reroll
    return KeyActions(
        edit=allows("keys:update") and store.supports_update,
        rotate=may_rotate,
        revoke=allows("keys:delete") and store.supports_revoke,
        end_old=may_rotate and not keys.session.preview,
    )


def actions_of(allowed: KeyActions, key: Key, now: datetime) -> KeyActions:
    """Return what of :func:`actions_for` the state of ``key`` allows."""
    state = key.state(now)
    if state is KeyState.LOCKED:
        return KeyActions()
    return KeyActions(
        edit=allowed.edit,
        rotate=allowed.rotate and state is KeyState.ACTIVE,
        revoke=allowed.revoke,
        end_old=allowed.end_old and key.old_secret is not None,
    )


@dataclass(frozen=True, slots=True)
class KeyDisplay:
    """A key as templates show it.

    :param key: the key itself, for what needs no words.
    :param now: the moment of the page; one for all keys on it.
    """

    key: Key
    now: datetime
    actions: KeyActions

    @classmethod
    def of(cls, keys: SessionKeys, key: Key, now: datetime | None = None) -> KeyDisplay:
        """Return ``key`` as the session of ``keys`` sees it."""
        moment = now or clock.now()
        return cls(key, moment, actions_of(actions_for(keys), key, moment))

    @property
    def status(self) -> Status:
        """The shape and the word."""
        return status_of(self.key, self.now)

    @property
    def masked(self) -> str:
        """The first characters of its secret, and that there are more."""
        return masked(self.key.start)

    @property
    def old_masked(self) -> str:
        """The same of the old secret; empty without one."""
        return masked(self.key.old_secret.start) if self.key.old_secret else ""

    @property
    def ends(self) -> str:
        """How far its end is, as it stands within a sentence; empty for a key that never expires."""
        return relative(self.key.expires_at, self.now) if self.key.expires_at else ""

    @property
    def last_used(self) -> str:
        """When it was last used, as a fact: “2 minutes ago”, “Never”."""
        return relative(self.key.last_used_at, self.now) if self.key.last_used_at else _("Never")

    @property
    def unused_days(self) -> int:
        """For how many whole days it was not used, counted from its creation if never; 0 before :data:`UNUSED_AFTER`."""
        idle = self.now - (self.key.last_used_at or self.key.created_at)
        return idle.days if idle >= UNUSED_AFTER else 0

    @property
    def rate_limit(self) -> str:
        """How often it may be used; empty without a limit."""
        limit = self.key.rate_limit
        if limit is None:
            return ""
        return ngettext("%(limit)d request in %(window)s", "%(limit)d requests in %(window)s", limit.limit) % {
            "limit": limit.limit,
            "window": duration(limit.window),
        }
