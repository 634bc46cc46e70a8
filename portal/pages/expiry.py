"""When a key ends, as a form asks for it: after a number of days, on a date, or never (ui-spec 2.4, Create)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.keystore.policy import KeyPolicy

__all__ = ["NEVER", "ON_A_DATE", "ChoiceLabel", "ExpiryChoices", "day_in_words"]

ON_A_DATE, NEVER = "date", "never"

_DAY = timedelta(days=1)
_LIVES = (30, 90, 365)
_LAST_MOMENT = time(23, 59, 59, 999000, tzinfo=UTC)


def day_in_words(day: date) -> str:
    """Return ``day`` as pages write it."""
    return date_format(day, "j M Y", use_l10n=False)


class ChoiceLabel(str):
    """A choice's label, with a hint that stands below it."""

    hint: SafeString

    @classmethod
    def with_hint(cls, words: str, hint: SafeString) -> Self:
        """Return the label."""
        label = cls(words)
        label.hint = hint
        return label


@dataclass(frozen=True, slots=True)
class ExpiryChoices:
    """What a portal's policy allows at a moment.

    :param now: the moment of the request; aware, UTC.
    """

    policy: KeyPolicy
    now: datetime

    @property
    def lives(self) -> list[int]:
        """The lives on offer, in days: the usual ones and the operator's default, cut by the longest."""
        longest = self.policy.longest_life
        offered = {*_LIVES, self.policy.default_life // _DAY}
        return sorted(days for days in offered if longest is None or days * _DAY <= longest)

    @property
    def first_day(self) -> date:
        """The first day on which a key may end."""
        return self.now.date() + _DAY

    @property
    def last_day(self) -> date | None:
        """The last day on which a key may end; None for no limit."""
        latest = self.policy.latest_expiry(self.now)
        if latest is None:
            return None
        day = latest.date()
        return day if self.end_of(day) <= latest else day - _DAY

    @property
    def has_days(self) -> bool:
        """Whether there is a day to choose."""
        return self.last_day is None or self.first_day <= self.last_day

    def choices(self) -> list[tuple[str, str]]:
        """Return values and labels, in the active language."""
        found = [(str(days), _life_in_words(days)) for days in self.lives]
        if self.has_days:
            found.append((ON_A_DATE, _("On a date")))
        if self.policy.may_never_expire:
            found.append((NEVER, _("Never")))
        return found

    def day_problem(self, day: date | None) -> str:
        """Return why a key may not end on ``day``, as what to do instead; empty if it may."""
        if day is None or day < self.first_day:
            return _("Enter a date after %(today)s") % {"today": day_in_words(self.now.date())}
        if self.last_day is not None and day > self.last_day:
            return _("Date must be %(max)s or earlier") % {"max": day_in_words(self.last_day)}
        return ""

    def moment(self, choice: str, day: date | None) -> datetime | None:
        """Return the end that a valid ``choice`` means; None for never."""
        if choice == NEVER:
            return None
        return self.end_of(day) if choice == ON_A_DATE and day else self.now + int(choice) * _DAY

    @staticmethod
    def end_of(day: date) -> datetime:
        """Return the last millisecond of ``day``, in UTC."""
        return datetime.combine(day, _LAST_MOMENT)


def _life_in_words(days: int) -> str:
    if days == 365:
        return _("1 year")
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
