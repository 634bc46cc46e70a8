"""How every page becomes a response: its template, the portal's brand, the headers."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from portal import request_id
from portal.authenticate import AuthenticatedSession
from portal.credentials import CHALLENGE
from portal.models import PortalConfig

from .back import back_link
from .csrf import form_token
from .headers import add_page_headers

__all__ = ["SIGN_OUT", "page"]

#: The action of the sign-out form.
SIGN_OUT = "sign-out"


def page(
    request: HttpRequest,
    template: str,
    config: PortalConfig | None,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
    session: AuthenticatedSession | None = None,
    ended: bool = False,
    code_in_url: bool = False,
) -> HttpResponse:
    """Return a rendered page.

    :param template: its name below ``portal/``.
    :param config: the portal whose page it is; None for the neutral look.
    :param session: the live session when the user is inside.
    :param ended: the session has ended; see :func:`portal.pages.back.back_link`.
    """
    back = ""
    if config is not None:
        session_return_url = session.return_url if session else ""
        back = back_link(request, config, session_return_url=session_return_url, ended=ended)
    values: dict[str, Any] = {
        "portal": config,
        "app_name": config.app_name if config else "",
        "session": session,
        "back": back,
        "request_id": request_id.ensure(request),
        **(context or {}),
    }
    if session is not None:
        values["sign_out_token"] = form_token(session.id, SIGN_OUT)
    # Times are UTC and say so (the script shows local time); the host's TIME_ZONE is nobody's here.
    with timezone.override(UTC):
        html = render_to_string(f"portal/{template}", values, request)
    response = HttpResponse(html, status=status)
    add_page_headers(response, request, config, code_in_url=code_in_url)
    response[request_id.HEADER] = request_id.current()
    if status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    return response
