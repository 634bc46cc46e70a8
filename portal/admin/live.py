"""How many sessions are live, in words, without counting a table of millions."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.models.session_queryset import PortalSessionQuerySet

__all__ = ["live_sessions"]

#: Beyond this nobody needs the exact number, and finding it would take long.
_CAP = 1000


def live_sessions(sessions: PortalSessionQuerySet) -> str:
    """Return how many of ``sessions`` are live, such as “12 live sessions” or “more than 1,000 live sessions”."""
    count = sessions.live().order_by()[: _CAP + 1].count()
    if count > _CAP:
        return _("more than %(count)s live sessions") % {"count": number_format(_CAP, force_grouping=True)}
    return ngettext("%(count)s live session", "%(count)s live sessions", count) % {
        "count": number_format(count, force_grouping=True)
    }
