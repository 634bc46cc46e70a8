"""For how long an old secret keeps working, as a form asks for it (ui-spec 2.4, Rotate)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.keystore.policy import KeyPolicy
from portal.templatetags.portal import moment

from .expiry import ChoiceLabel

__all__ = ["AT_ONCE", "grace_choices", "grace_value"]

#: The choice that lets no old secret stay.
AT_ONCE = "0"

_SECOND, _MINUTE, _HOUR, _DAY = (timedelta(seconds=seconds) for seconds in (1, 60, 3600, 86400))


def grace_value(period: timedelta) -> str:
    """Return the choice that stands for ``period``: its seconds."""
    return str(period // _SECOND)


def grace_choices(policy: KeyPolicy, now: datetime) -> list[tuple[str, str]]:
    """Return values and labels, in the active language; each label says when the old secret would end."""
    return [(grace_value(period), _label(period, now)) for period in policy.grace_periods]


def _label(period: timedelta, now: datetime) -> str:
    if not period:
        return _("At once")
    return ChoiceLabel.with_hint(_in_words(period), moment(now + period))


def _in_words(period: timedelta) -> str:
    # A single day is 24 hours: what counts is the hour, not the day of the calendar.
    if period > _DAY and period % _DAY == timedelta(0):
        days = period // _DAY
        return ngettext("In %(n)d day", "In %(n)d days", days) % {"n": days}
    if period % _HOUR == timedelta(0):
        hours = period // _HOUR
        return ngettext("In %(n)d hour", "In %(n)d hours", hours) % {"n": hours}
    if period % _MINUTE == timedelta(0):
        minutes = period // _MINUTE
        return ngettext("In %(n)d minute", "In %(n)d minutes", minutes) % {"n": minutes}
    seconds = period // _SECOND
    return ngettext("In %(n)d second", "In %(n)d seconds", seconds) % {"n": seconds}
