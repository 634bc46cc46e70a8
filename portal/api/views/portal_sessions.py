"""Who is in a portal, and how to put somebody out, for a host's backend (wire contract section 6)."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from portal import clock
from portal.api.serializers.portals import ListSessionsSerializer, RevokeSessionSerializer
from portal.authenticate import AuthenticatedRootKey
from portal.errors import InvalidInput
from portal.http import client_address
from portal.keystore.listing import read_cursor, write_cursor
from portal.models import PortalSession
from portal.models.session_listing import UserSessions, list_live_sessions

from .root_key import RootKeyOperation, permitted_portal

__all__ = ["ListSessions", "RevokeSession"]

#: Whoever may mint a portal's sessions may see and end them, as upstream has it.
_ACTION = "create_portal_session"


class ListSessions(RootKeyOperation):
    """``portal.listSessions``: the users who have a live session, with those sessions."""

    name = "portal.listSessions"
    writes = False
    serializer_class = ListSessionsSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data [{externalId, sessions}…]`` and ``pagination``."""
        portal = permitted_portal(root_key, body["portal"], _ACTION)
        page = list_live_sessions(portal, limit=body["limit"], after=_place(body["cursor"]), search=body["search"])
        pagination: dict[str, Any] = {"hasMore": bool(page.next)}
        if page.next:
            pagination["cursor"] = write_cursor(False, page.next, "")
        return {"data": [_user_item(user) for user in page.users], "pagination": pagination}


class RevokeSession(RootKeyOperation):
    """``portal.revokeSession``: ends all live sessions of one user, unopened links included."""

    name = "portal.revokeSession"
    serializer_class = RevokeSessionSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {sessionsRevoked}``."""
        portal = permitted_portal(root_key, body["portal"], _ACTION)
        actor = root_key.actor(client_address(request._request))
        return {"data": {"sessionsRevoked": PortalSession.objects.revoke_for(portal, body["externalId"], actor)}}


def _place(cursor: str) -> str:
    """Return the external id after which the page begins.

    :raises InvalidInput: it is no cursor of this list.
    """
    if not cursor:
        return ""
    backwards, external_id, rest = read_cursor(cursor)
    if backwards or not isinstance(external_id, str) or rest != "":
        text = "This is no cursor of this list. Leave it out to begin at the first page."
        raise InvalidInput("The cursor is not valid.", errors=[{"location": "body.cursor", "message": text}])
    return external_id


def _user_item(user: UserSessions) -> dict[str, Any]:
    item: dict[str, Any] = {
        "externalId": user.external_id,
        "sessions": [
            {
                "id": session.id,
                "status": "pending" if session.pending else "active",
                "createdAt": clock.to_milliseconds(session.created_at),
                "expiresAt": clock.to_milliseconds(session.expires_at),
                "scopes": list(session.capabilities),
            }
            for session in user.sessions
        ],
    }
    if user.has_more:
        item["hasMore"] = True
    return item
