"""Arriving: the landing page that shows a form, and the POST that spends the code (design decisions 5 and 6)."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.views.decorators.debug import sensitive_variables

from portal import tokens
from portal.conf import portal_settings
from portal.credentials import cookie_session
from portal.errors import PortalSessionNotFound
from portal.http import client_address
from portal.models import Issued, PortalSession
from portal.pages.arrival import arrival
from portal.pages.cookies import WayBack, read_nonce, remember_session, remember_way_back
from portal.pages.csrf import is_genuine
from portal.pages.headers import add_page_headers
from portal.pages.landing import ENTER, is_same_identity, landing, subject
from portal.pages.refusals import Refused
from portal.pages.tabs import first_page
from portal.throttle import count_failure

from .base import PortalPage, see_other, see_other_at

__all__ = ["Enter", "Home"]


def _is_speculative(request: HttpRequest) -> bool:
    """Say whether the browser loads the page ahead of a click, or instead of one."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in purpose or "prerender" in purpose or request.headers.get("X-Moz") == "prefetch"


class Home(PortalPage):
    """``<slug>/``: with a code the landing page, without one the way to the first page inside."""

    http_method_names = ["get", "head"]

    @method_decorator(sensitive_variables("code"))
    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form for a code that this browser may spend. Nothing is spent or changed by any GET."""
        code = request.GET.get("session") or request.GET.get("code") or ""
        if not code:
            return see_other(request, first_page(self.require_session(request)), self.config)
        if _is_speculative(request):
            # 503 and not 204: after a 204 the real click does nothing, after a 503 it loads (tried).
            response = HttpResponse(status=503, headers={"Retry-After": "1"})
            add_page_headers(response, request, self.config, code_in_url=True)
            # Not a fault: Django would mail ADMINS about every prefetch.
            response._has_been_logged = True  # type: ignore[attr-defined]
            return response
        return self._landing(request, code)

    @method_decorator(sensitive_variables("code", "nonce"))
    def _landing(self, request: HttpRequest, code: str) -> HttpResponse:
        row = PortalSession.objects.for_code(code, self.config)
        if row is None:
            # A look at a code is a guess like any other.
            count_failure(request)
            raise Refused("dead_link")
        if row.state() != PortalSession.State.PENDING:
            current = cookie_session(request)
            if current and current.pk == row.pk:
                return see_other(request, first_page(current), self.config)
            nonce = read_nonce(request)
            if not (nonce and PortalSession.objects.recover(code, nonce, slug=self.config.slug)):
                raise Refused("dead_link")
        return landing(request, self.config, row, code)


class Enter(PortalPage):
    """``<slug>/enter/``: spends the code. POST only."""

    http_method_names = ["post"]

    @method_decorator(sensitive_variables("code", "nonce", "issued", "token"))
    def post(self, request: HttpRequest) -> HttpResponse:
        """Exchange the code, give the browser its cookie and lead inside; nothing is spent before all checks passed."""
        nonce = read_nonce(request)
        if nonce is None:
            raise Refused("cookies_blocked")
        if not is_genuine(request, subject(nonce, request.POST.get("instead_of", "")), ENTER):
            raise Refused("form_out_of_date")
        code = request.POST.get("code", "")
        current = cookie_session(request)
        if current and current.id != request.POST.get("instead_of"):
            # Somebody signed in after the page was shown, in another tab say: the page did not ask about that.
            row = PortalSession.objects.for_code(code, self.config)
            if row and not is_same_identity(current, row):
                return landing(request, self.config, row, code, may_continue=False)
        issued = self._spend(request, code, nonce)
        if issued is None:
            return see_other(request, first_page(self.require_session(request)), self.config)
        session, token = issued
        response = see_other_at(request, arrival(session), self.config)
        remember_session(response, request, token, session.expires_at)
        remember_way_back(response, request, WayBack(self.config.slug, session.return_url))
        return response

    @method_decorator(sensitive_variables("code", "nonce"))
    def _spend(self, request: HttpRequest, code: str, nonce: str) -> Issued[PortalSession] | None:
        """Return the session and its token; None when this browser's cookie holds that very session already."""
        sessions = PortalSession.objects
        try:
            return sessions.exchange(
                code,
                address=client_address(request),
                slug=self.config.slug,
                token=tokens.derive(code, nonce, force_bytes(settings.SECRET_KEY)),
                replaces=request.COOKIES.get(portal_settings.COOKIE_NAME),
            )
        except PortalSessionNotFound:
            if recovered := sessions.recover(code, nonce, slug=self.config.slug):
                return recovered
            current = self.current_session(request)
            if current and sessions.filter(pk=current.pk, code_hash=tokens.digest(code)).exists():
                return None
            sessions.note_replay(code, client_address(request))
            count_failure(request)
            raise Refused("dead_link") from None
