"""The landing page: a form that spends a code, bound to the browser and to what the page said (design decisions 5 and 6)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from portal import tokens
from portal.authenticate import AuthenticatedSession
from portal.conf import portal_settings
from portal.credentials import cookie_session
from portal.http import own_origins
from portal.models import PortalConfig, PortalSession
from portal.origins import origin_of

from .cookies import read_nonce, set_nonce
from .csrf import form_token
from .render import page

__all__ = ["ENTER", "is_same_identity", "landing", "subject"]

#: The action of the form.
ENTER = "enter"


def subject(browser_nonce: str, instead_of: str) -> str:
    """Return what the form's proof is bound to: the browser, and the session that the page knew of.

    :param instead_of: the public id of the session that continuing replaces, or an empty string.
    """
    return f"{browser_nonce}:{instead_of}"


def is_same_identity(current: AuthenticatedSession, row: PortalSession) -> bool:
    """Say whether the browser's session and the arriving one are the same person at the same portal."""
    return current.portal_pk == row.config_id and current.external_id == row.external_id


@sensitive_variables("code", "nonce")
def landing(
    request: HttpRequest, config: PortalConfig, row: PortalSession, code: str, *, may_continue: bool = True
) -> HttpResponse:
    """Return the page that continues with ``code``, whose session is ``row``.

    :param may_continue: whether the script may press the button, if the visit came from a page of the host.
    """
    nonce = read_nonce(request) or tokens.nonce()
    current = cookie_session(request)
    # Somebody else, or the same person at another portal: never replaced without asking.
    other = current if current and not is_same_identity(current, row) else None
    instead_of = current.id if current else ""
    response = page(
        request,
        "enter.html",
        config,
        {
            "code": code,
            "instead_of": instead_of,
            "form_token": form_token(subject(nonce, instead_of), ENTER),
            "once": row.public_id,
            "continues": may_continue and other is None and _came_from_the_host(request, config),
            "signed_in": (other.display_name or other.external_id) if other else "",
            "may_stay": other is not None and other.portal_pk == config.pk,
            "arriving": row.display_name or row.external_id,
        },
        session_locale=row.locale,
        code_in_url=True,
    )
    set_nonce(response, request, nonce)
    return response


def _came_from_the_host(request: HttpRequest, config: PortalConfig) -> bool:
    """Say whether the visit came from a page of the host.

    A link that was opened directly carries no Referer, and a stranger's page that pushes a victim into the stranger's own
    session (login CSRF) carries the stranger's: both leave the decision to the person.
    """
    if not portal_settings.AUTO_CONTINUE:
        return False
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    origin = origin_of(request.headers.get("Referer", ""))
    listed = {*config.return_origins, *config.allowed_origins, *config.frame_ancestors, *own_origins(request)}
    return origin is not None and origin in listed
