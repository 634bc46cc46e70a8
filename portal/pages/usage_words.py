"""The words and numbers of usage, in the active language. Whole sentences: languages put their parts in other orders."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from portal.keystore.usage import DAY, HOUR, Tally

__all__ = [
    "SERIES",
    "bucket_words",
    "change_words",
    "counts_of",
    "grouped",
    "kept_words",
    "mostly",
    "other_keys",
    "range_words",
    "requests",
    "share",
]

_RANGE = {
    HOUR: {
        "label": ngettext_lazy("%(n)d hour", "%(n)d hours", "n"),
        "last": ngettext_lazy("Last %(n)d hour", "Last %(n)d hours", "n"),
        "title": ngettext_lazy("Usage, last %(n)d hour", "Usage, last %(n)d hours", "n"),
        "caption": ngettext_lazy("Requests by key, last %(n)d hour", "Requests by key, last %(n)d hours", "n"),
        "empty": ngettext_lazy(
            "No requests in the last %(n)d hour. Make one, and it appears here soon.",
            "No requests in the last %(n)d hours. Make one, and it appears here soon.",
            "n",
        ),
        "up": ngettext_lazy(
            "Up %(share)s from the previous %(n)d hour", "Up %(share)s from the previous %(n)d hours", "n"
        ),
        "down": ngettext_lazy(
            "Down %(share)s from the previous %(n)d hour", "Down %(share)s from the previous %(n)d hours", "n"
        ),
        "same": ngettext_lazy("Same as the previous %(n)d hour", "Same as the previous %(n)d hours", "n"),
        "new": ngettext_lazy("None in the previous %(n)d hour", "None in the previous %(n)d hours", "n"),
        "refused": ngettext_lazy(
            "%(requests)s refused in the last %(n)d hour: something still uses this key.",
            "%(requests)s refused in the last %(n)d hours: something still uses this key.",
            "n",
        ),
    },
    DAY: {
        "label": ngettext_lazy("%(n)d day", "%(n)d days", "n"),
        "last": ngettext_lazy("Last %(n)d day", "Last %(n)d days", "n"),
        "title": ngettext_lazy("Usage, last %(n)d day", "Usage, last %(n)d days", "n"),
        "caption": ngettext_lazy("Requests by key, last %(n)d day", "Requests by key, last %(n)d days", "n"),
        "empty": ngettext_lazy(
            "No requests in the last %(n)d day. Make one, and it appears here soon.",
            "No requests in the last %(n)d days. Make one, and it appears here soon.",
            "n",
        ),
        "up": ngettext_lazy(
            "Up %(share)s from the previous %(n)d day", "Up %(share)s from the previous %(n)d days", "n"
        ),
        "down": ngettext_lazy(
            "Down %(share)s from the previous %(n)d day", "Down %(share)s from the previous %(n)d days", "n"
        ),
        "same": ngettext_lazy("Same as the previous %(n)d day", "Same as the previous %(n)d days", "n"),
        "new": ngettext_lazy("None in the previous %(n)d day", "None in the previous %(n)d days", "n"),
        "refused": ngettext_lazy(
            "%(requests)s refused in the last %(n)d day: something still uses this key.",
            "%(requests)s refused in the last %(n)d days: something still uses this key.",
            "n",
        ),
    },
}

#: What the chart, its legend and its table tell apart, in the order of the stack from below: a name for the style, the
#: words, and the outcomes of :class:`~portal.keystore.usage.Tally` that it stands for.
SERIES = (
    ("valid", gettext_lazy("Valid"), ("valid",)),
    ("limited", gettext_lazy("Rate limited"), ("rate_limited",)),
    ("exceeded", gettext_lazy("Usage exceeded"), ("usage_exceeded",)),
    ("ended", gettext_lazy("Expired or disabled"), ("expired", "disabled")),
    ("permission", gettext_lazy("Insufficient permissions"), ("insufficient_permissions",)),
    ("other", gettext_lazy("Other"), ("forbidden",)),
)
_MOSTLY = {
    "limited": gettext_lazy("Mostly rate limited"),
    "exceeded": gettext_lazy("Mostly usage exceeded"),
    "ended": gettext_lazy("Mostly expired or disabled"),
    "permission": gettext_lazy("Mostly insufficient permissions"),
    "other": gettext_lazy("Mostly for other reasons"),
}


def counts_of(tally: Tally) -> dict[str, int]:
    """Return the counts of :data:`SERIES` by name."""
    return {name: sum(getattr(tally, outcome) for outcome in outcomes) for name, _label, outcomes in SERIES}


def range_words(what: str, unit: timedelta, number: int, **values: str) -> str:
    """Return a sentence about the last ``number`` hours or days."""
    return str(_RANGE[unit][what] % {"n": number, **values})


def bucket_words(start: datetime, length: timedelta) -> str:
    """Return the name of an hour, a day or a week of UTC: “24 Nov, 14:00”, “24 Nov”, “Week of 18 Nov”."""
    if length == HOUR:
        return date_format(start, "j M, H:i", use_l10n=False)
    day = date_format(start, "j M", use_l10n=False)
    return day if length == DAY else _("Week of %(day)s") % {"day": day}


def grouped(number: int) -> str:
    """Return ``number`` with the digits grouped as the language does."""
    return number_format(number, force_grouping=True)


def requests(number: int) -> str:
    """Return so many requests in words."""
    return ngettext("%(number)s request", "%(number)s requests", number) % {"number": grouped(number)}


def other_keys(number: int) -> str:
    """Return the name of all the keys that are not told apart."""
    return ngettext("%(n)s other key", "%(n)s other keys", number) % {"n": number}


def share(part: int, whole: int) -> str:
    """Return what part of ``whole`` it is, in percent with one digit; rounded down, so that 100 % is all of them."""
    permille = 1000 * part // whole
    number = number_format(permille / 10, 1 if permille % 10 else 0)
    return _("%(number)s%%") % {"number": number}


def change_words(unit: timedelta, number: int, now: int, before: int) -> str:
    """Return how the requests of a range compare with those as long before; empty where there were none at all."""
    if before == 0:
        return range_words("new", unit, number) if now else ""
    percent = round(100 * (now - before) / before)
    if percent == 0:
        return range_words("same", unit, number)
    text = _("%(number)s%%") % {"number": grouped(abs(percent))}
    return range_words("up" if percent > 0 else "down", unit, number, share=text)


def mostly(tally: Tally) -> str:
    """Return why most of the rejected requests were; that there were several reasons; or nothing if none was."""
    if not tally.rejected:
        return ""
    reasons = counts_of(tally)
    most = max(_MOSTLY, key=lambda name: reasons[name])
    return str(_MOSTLY[most]) if 2 * reasons[most] > tally.rejected else _("For several reasons")


def kept_words(kept: timedelta, longest: str) -> str:
    """Return for how long usage is kept.

    :param longest: the longest range, in words.
    """
    days = kept // DAY
    whole = range_words("label", DAY, days)
    if whole == longest:
        return _("Usage is kept for %(kept)s, so that is the longest range.") % {"kept": whole}
    return _("Usage is kept for %(kept)s, so %(longest)s is the longest range.") % {"kept": whole, "longest": longest}
