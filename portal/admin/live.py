"""How many sessions are live, in words, without counting a table of millions."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import clock
from portal.models.session_queryset import PortalSessionQuerySet

__all__ = ["live_sessions"]

#: Beyond this nobody needs the exact number, and finding it would take long.
_CAP = 1000


def live_sessions(sessions: PortalSessionQuerySet) -> str:
    """Return how many of ``sessions`` are live, such as “12 live sessions” or “more than 1,000 live sessions”."""
    # What live() asks for anyway, said once more in the very expression of the index portal_session_ends: it leads past
    # all that ended long ago, which may be a million rows.
    ends = Coalesce("expires_at", "code_expires_at", output_field=models.DateTimeField())
    count = sessions.live().filter(GreaterThan(ends, clock.now())).order_by()[: _CAP + 1].count()
    if count > _CAP:
        return _("more than %(count)s live sessions") % {"count": number_format(_CAP, force_grouping=True)}
    return ngettext("%(count)s live session", "%(count)s live sessions", count) % {
        "count": number_format(count, force_grouping=True)
    }
