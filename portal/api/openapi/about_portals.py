"""Managing portals, and who is in them, with a root key."""

from __future__ import annotations

from portal.errors import InsufficientPermissions, PortalAlreadyExists, PortalNotFound

from .about_sessions import EXAMPLE_PORTAL_ID, EXAMPLE_SESSION_ID, PORTAL_ID, SESSION_ID
from .description import Description, Form
from .schemas import CAPABILITY, Schema, flag, items, moment, number, one_of, record, ref, text

__all__ = ["OPERATIONS", "SCHEMAS"]

_PORTALS, _SESSIONS = "Portals", "Sessions, for your backend"

SCHEMAS: dict[str, Schema] = {
    "Portal": record(
        {
            "id": PORTAL_ID,
            "slug": text("its name in addresses"),
            "displayName": text("your product's name; the slug, if it has none"),
            "keyspaceId": text("which keys it shows; its own id, if it has no other"),
            "enabled": flag("whether sessions can be minted"),
            "createdAt": moment("when it was made"),
        },
        {
            "branding": record(
                {},
                {
                    "logoUrl": text("the address of its logo", format="uri"),
                    "primaryColor": text("its color, such as #2563eb", pattern="^#[0-9a-fA-F]{6}$"),
                },
            ),
            "updatedAt": moment("when it was last changed"),
        },
    )
}
_LIVE_SESSION = record(
    {
        "id": SESSION_ID,
        "status": one_of({"pending": "the link was not opened yet", "active": "the user is in"}, "The session:"),
        "createdAt": moment("when it was made"),
        "expiresAt": moment("when it ends, or its link does while that was not opened"),
        "scopes": items(CAPABILITY, "what it may do"),
    }
)
_USER = record(
    {
        "externalId": text("your id of the user"),
        "sessions": items(_LIVE_SESSION, "the newest first", minItems=1),
    },
    {"hasMore": flag("true when there are more of these sessions than are listed")},
)

_EXAMPLE = {
    "id": EXAMPLE_PORTAL_ID,
    "slug": "another-portal",
    "displayName": "Example",
    "keyspaceId": "another-keyspace",
    "enabled": True,
    "createdAt": 1795478400000,
}
_LISTED = {
    "externalId": "user_123",
    "sessions": [
        {
            "id": EXAMPLE_SESSION_ID,
            "status": "active",
            "createdAt": 1795478400000,
            "expiresAt": 1795564800000,
            "scopes": ["keys:read"],
        }
    ],
}
_THIS_PORTAL = {"portal": "$response.body#/data/portalId"}

OPERATIONS = {
    "portal.createPortal": Description(
        summary="Make a portal",
        tag=_PORTALS,
        forms={
            "portal": Form(
                answer={"data": record({"portalId": PORTAL_ID})},
                example=(
                    {"slug": "another-portal", "displayName": "Example", "keyspaceId": "another-keyspace"},
                    {"data": {"portalId": EXAMPLE_PORTAL_ID}},
                ),
            )
        },
        errors=(InsufficientPermissions, PortalAlreadyExists),
        links={
            "portal.getPortal": _THIS_PORTAL,
            "portal.updatePortal": _THIS_PORTAL,
            "portal.deletePortal": _THIS_PORTAL,
            "portal.createSession": _THIS_PORTAL,
            "portal.listSessions": _THIS_PORTAL,
        },
    ),
    "portal.getPortal": Description(
        summary="Read a portal, by its id or slug or by the keys that it shows",
        text="Give exactly one of the members. No portal has an `appId` here.",
        tag=_PORTALS,
        forms={
            "portal": Form(
                answer={"data": ref("Portal")}, example=({"keyspaceId": "another-keyspace"}, {"data": _EXAMPLE})
            )
        },
        errors=(PortalNotFound,),
    ),
    "portal.updatePortal": Description(
        summary="Change a portal",
        text="Omitted fields are unchanged; at least one member beside `portal` has to be there. Switching a portal off, or "
        "pointing it at other keys, ends its sessions.",
        tag=_PORTALS,
        forms={
            "portal": Form(
                answer={"data": ref("Portal")},
                example=(
                    {"portal": EXAMPLE_PORTAL_ID, "primaryColor": "#2563eb"},
                    {"data": {**_EXAMPLE, "branding": {"primaryColor": "#2563eb"}, "updatedAt": 1795478460000}},
                ),
            )
        },
        errors=(PortalNotFound, PortalAlreadyExists),
    ),
    "portal.deletePortal": Description(
        summary="Delete a portal and its sessions",
        text="The API keys stay with the key store.",
        tag=_PORTALS,
        forms={"portal": Form(answer={"data": record({})}, example=({"portal": EXAMPLE_PORTAL_ID}, {"data": {}}))},
        errors=(PortalNotFound,),
    ),
    "portal.listSessions": Description(
        summary="List the users who have a live session, with those sessions",
        tag=_SESSIONS,
        forms={
            "page": Form(
                answer={"data": items(_USER, maxItems=100), "pagination": ref("Pagination")},
                example=({"portal": "my-portal"}, {"data": [_LISTED], "pagination": {"hasMore": False}}),
            )
        },
        errors=(PortalNotFound,),
    ),
    "portal.revokeSession": Description(
        summary="End all live sessions of one user, unopened links included",
        tag=_SESSIONS,
        forms={
            "user": Form(
                answer={"data": record({"sessionsRevoked": number("how many there were")})},
                example=({"portal": "my-portal", "externalId": "user_123"}, {"data": {"sessionsRevoked": 1}}),
            )
        },
        errors=(PortalNotFound,),
    ),
}
