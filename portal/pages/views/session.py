"""Being inside and leaving: who is signed in, until when, and the way out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from portal.http import client_address
from portal.pages.abilities import ABILITIES
from portal.pages.cookies import WayBack, forget_session, remember_way_back
from portal.pages.csrf import is_genuine
from portal.pages.refusals import Refused
from portal.pages.render import SIGN_OUT, page
from portal.permissions import ordered

from .base import PortalPage, see_other

__all__ = ["SessionPage", "SignOut", "SignedOut"]


class SessionPage(PortalPage):
    """``<slug>/session/``: whose session this is and what it may do."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the session."""
        session = self.require_session(request)
        abilities = [ABILITIES[capability] for capability in ordered(session.capabilities)]
        return page(request, "session.html", self.config, {"abilities": abilities}, session=session)


class SignOut(PortalPage):
    """``<slug>/session/end/``: ends the session on the server, not only in the browser."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the session and lead to the signed-out page; without a session there is nothing left to do."""
        session = self.current_session(request)
        response = see_other(request, "signed-out", self.config)
        if session is None:
            return response
        if not is_genuine(request, session.id, SIGN_OUT):
            raise Refused("form_out_of_date")
        session.sign_out(client_address(request))
        forget_session(response, request)
        # A second HttpOnly cookie that is set: without one Chromium can show the page from its back-forward cache after
        # signing out (tried in version 156), where it overlooks a lone deletion.
        remember_way_back(response, request, WayBack(self.config.slug, session.return_url, left=True))
        return response


class SignedOut(PortalPage):
    """``<slug>/signed-out/``: says so, and leads back to the product."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the page to anybody; it knows nothing."""
        return page(request, "signed_out.html", self.config)
