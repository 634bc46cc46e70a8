"""The pages that say no: what happened, and the one thing to do next."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from portal.conf import portal_settings
from portal.models import PortalConfig

from .cookies import read_way_back
from .render import page

__all__ = ["Refused", "refuse", "refuse_without_session"]


class Refused(Exception):
    """Raised in a page view to answer with a refusal page.

    :param reason: a key of :data:`STATUSES`, which is also the name of the page's template below ``portal/refusals/``.
    """

    def __init__(self, reason: str, **context: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.context = context


#: Every refusal and its HTTP status.
STATUSES = {
    "no_session": 401,
    "session_ended": 401,
    "dead_link": 401,
    "cookies_blocked": 401,
    "form_out_of_date": 403,
    "closed": 403,
    "not_found": 404,
    "method": 405,
    "bad_request": 400,
    "error": 500,
    "unavailable": 503,
}


def refuse(
    request: HttpRequest, reason: str, config: PortalConfig | None, *, code_in_url: bool = False, **context: Any
) -> HttpResponse:
    """Return the refusal page for ``reason``, in the portal's brand where the portal is known."""
    return page(
        request,
        f"refusals/{reason}.html",
        config,
        context,
        status=STATUSES[reason],
        ended=reason == "session_ended",
        code_in_url=code_in_url,
    )


def refuse_without_session(request: HttpRequest, config: PortalConfig | None) -> HttpResponse:
    """Return the 401 page: “ended” for a browser that was inside before, “open this page from …” for any other.

    The browser was inside when it still brings a session cookie, or kept the way back after that cookie ran out.
    """
    kept = read_way_back(request)
    if config is None and kept is not None:
        config = PortalConfig.objects.enabled().filter(slug=kept.slug).first()
    was_inside = portal_settings.COOKIE_NAME in request.COOKIES or (
        kept is not None and config is not None and kept.slug == config.slug
    )
    return refuse(request, "session_ended" if was_inside else "no_session", config)
