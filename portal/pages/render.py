"""How every page becomes a response: its template, the portal's brand, the language, the headers."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_variables

from portal import request_id
from portal.authenticate import AuthenticatedSession
from portal.credentials import CHALLENGE
from portal.models import PortalConfig

from .back import back_link
from .csrf import form_token
from .headers import add_page_headers
from .language import page_language
from .tabs import tab_links
from .theme import icon_url, logo_urls, theme_url

__all__ = ["SIGN_OUT", "page"]

#: The action of the sign-out form.
SIGN_OUT = "sign-out"

# Django logs a variable that a template does not find together with the whole context, and there the landing page's code
# stands. So every name is there.
_ABSENT: dict[str, Any] = {
    **dict.fromkeys(("back", "theme", "icon", "logo_url", "logo_dark_url", "session_ends", "sign_out_token"), ""),
    "session": None,
    "preview": False,
}


# One page holds a secret: neither its text nor what it is made of belongs in a report about a fault.
@sensitive_variables("html", "values", "context")
def page(
    request: HttpRequest,
    template: str,
    config: PortalConfig | None,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
    session: AuthenticatedSession | None = None,
    session_locale: str = "",
    tab: str = "",
    ended: bool = False,
    code_in_url: bool = False,
) -> HttpResponse:
    """Return a rendered page.

    :param template: its name below ``portal/``.
    :param config: the portal whose page it is; None for the neutral look.
    :param session: the live session when the user is inside; then the page stands in the layout ``inside``.
    :param session_locale: the language of a session that is not live yet.
    :param tab: the URL name of the tab that the page belongs to.
    :param ended: the session has ended; see :func:`portal.pages.back.back_link`.
    """
    values: dict[str, Any] = {
        **_ABSENT,
        "portal": config,
        "app_name": config.app_name if config else "",
        "layout": "portal/layouts/inside.html" if session and config else "portal/layouts/entrance.html",
        "request_id": request_id.ensure(request),
    }
    if config is not None:
        return_url = session.return_url if session else ""
        logo_url, logo_dark_url = logo_urls(config)
        values |= {
            "back": back_link(request, config, session_return_url=return_url, ended=ended),
            "theme": theme_url(config),
            "icon": icon_url(config),
            "logo_url": logo_url,
            "logo_dark_url": logo_dark_url,
        }
    if session is not None:
        values |= {
            "session": session,
            "session_ends": session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "preview": session.preview,
            "sign_out_token": form_token(session.id, SIGN_OUT),
        }
        session_locale = session.locale
    # Times are UTC and say so (the script shows local time); the host's TIME_ZONE is nobody's here.
    language = page_language(request, config, session_locale)
    with timezone.override(UTC), translation.override(language):
        values |= {
            "language": language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
            "tabs": tab_links(session, tab) if session else [],
            **(context or {}),
        }
        html = render_to_string(f"portal/{template}", values, request)
    response = HttpResponse(html, status=status)
    response["Content-Language"] = language
    add_page_headers(response, request, config, code_in_url=code_in_url)
    response[request_id.HEADER] = request_id.current()
    # Faults are logged already. Django would log them again with the request, whose cookies and address hold secrets, and
    # mail that to ADMINS.
    response._has_been_logged = status >= 500  # type: ignore[attr-defined]
    if status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    return response
