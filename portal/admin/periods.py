"""Lengths of time in words, for the periods in which an old secret keeps working."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

__all__ = ["USUAL_GRACE_PERIODS", "period"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

#: What operators may choose from, in seconds.
USUAL_GRACE_PERIODS = (0, 15 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)

_UNITS = (
    (_DAY, ngettext_lazy("%(n)d day", "%(n)d days", "n")),
    (_HOUR, ngettext_lazy("%(n)d hour", "%(n)d hours", "n")),
    (_MINUTE, ngettext_lazy("%(n)d minute", "%(n)d minutes", "n")),
)


def period(seconds: int) -> str:
    """Return a length of time in the largest unit in which it is whole, and zero as “at once”."""
    if not seconds:
        return _("At once")
    for unit, words in _UNITS:
        # A single day is 24 hours: what counts is the hour, not the day of the calendar.
        if seconds % unit == 0 and not unit == seconds == _DAY:
            return str(words % {"n": seconds // unit})
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
