"""What the operator of a portal allows its users to do with keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal import clock
from portal.conf import portal_settings

if TYPE_CHECKING:
    from portal.models import PortalConfig

__all__ = ["KeyPolicy"]


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The policy of one portal; the methods say what a request may ask for and what holds when it asks for nothing.

    :param longest_life: None for no limit. A key that never expires needs ``may_never_expire``, whatever this says.
    :param limit: keys a user; None for no limit.
    :param permissions: those that users may choose from, in the operator's order.
    :param grace_periods: for how long an old secret may stay, the shortest first.
    """

    default_life: timedelta
    longest_life: timedelta | None
    may_never_expire: bool
    limit: int | None
    permissions: tuple[str, ...]
    default_permissions: tuple[str, ...]
    grace_periods: tuple[timedelta, ...]

    @classmethod
    def of(cls, config: PortalConfig) -> KeyPolicy:
        """Return the policy of ``config``."""
        longest = config.key_longest_days
        return cls(
            default_life=timedelta(days=config.key_default_days),
            longest_life=None if longest is None else timedelta(days=longest),
            may_never_expire=config.key_never_expires,
            limit=config.key_limit,
            permissions=tuple(config.key_permissions),
            default_permissions=tuple(config.key_default_permissions),
            grace_periods=tuple(timedelta(seconds=seconds) for seconds in config.key_grace_periods),
        )

    def default_expiry(self, now: datetime) -> datetime:
        """Return when a key ends that is made ``now`` and says nothing."""
        return now + self.default_life

    def latest_expiry(self, now: datetime) -> datetime | None:
        """Return the latest end that a key may be given ``now``; None for no limit."""
        return None if self.longest_life is None else now + self.longest_life

    def expiry_problem(self, expires_at: datetime | None, now: datetime) -> str:
        """Return why a key may not end then, in a sentence that says what may be; empty if it may. None: never."""
        latest = self.latest_expiry(now)
        if expires_at is None:
            return "" if self.may_never_expire else "Keys of this portal must have an end."
        if expires_at <= now:
            return "This must be in the future."
        if latest is not None and expires_at > latest:
            return f"This must be {clock.to_milliseconds(latest)} or earlier."
        return ""

    def grace_problem(self, grace: timedelta) -> str:
        """Return why an old secret may not stay that long, in a sentence that says what may be; empty if it may."""
        shortest, longest = self.grace_periods[0], self.grace_periods[-1]
        if shortest <= grace <= longest:
            return ""
        milliseconds = timedelta(milliseconds=1)
        return f"This must be a number from {shortest // milliseconds} to {longest // milliseconds}."

    def default_grace(self) -> timedelta:
        """Return how long an old secret stays when nothing is said: REROLL_GRACE, or the allowed period nearest to it."""
        wanted = portal_settings.REROLL_GRACE
        return min(self.grace_periods, key=lambda period: abs(period - wanted))
