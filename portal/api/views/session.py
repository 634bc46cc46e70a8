"""What an end user's own client may ask about its session. All are portal-authenticated."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.request import Request

from portal import clock, permissions
from portal.api.authentication import PortalSessionAuthentication
from portal.authenticate import AuthenticatedSession
from portal.http import client_address

from .base import Operation

__all__ = ["EndSession", "GetSession"]


class GetSession(Operation):
    """``portal.getSession`` (ours): whose session this is, what it may do and until when."""

    name = "portal.getSession"
    authentication_classes = [PortalSessionAuthentication]

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return the session; times in Unix milliseconds, names that are empty left out."""
        session = cast(AuthenticatedSession, request.auth)
        portal = {"id": session.portal_id, "slug": session.portal_slug}
        if session.portal_display_name:
            portal["displayName"] = session.portal_display_name
        data: dict[str, Any] = {
            "id": session.id,
            "portal": portal,
            "externalId": session.external_id,
            "permissions": list(session.permissions),
            "capabilities": permissions.ordered(session.capabilities),
            "preview": session.preview,
            "createdAt": clock.to_milliseconds(session.created_at),
            "expiresAt": clock.to_milliseconds(session.expires_at),
        }
        if session.display_name:
            data["displayName"] = session.display_name
        return {"data": data}


class EndSession(Operation):
    """``portal.endSession`` (ours): ends the session on the server. A preview may end itself."""

    name = "portal.endSession"
    authentication_classes = [PortalSessionAuthentication]

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {}``; the token is dead from here on."""
        session = cast(AuthenticatedSession, request.auth)
        session.sign_out(client_address(request._request))
        return {"data": {}}
