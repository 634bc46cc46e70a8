"""Minting, exchanging, and a session's own operations."""

from __future__ import annotations

from portal.api.serializers.sessions import ScopedSessionSerializer, SlugSessionSerializer
from portal.errors import (
    Forbidden,
    InsufficientPermissions,
    PortalConfigNotFound,
    PortalNotFound,
    PortalSessionNotFound,
)

from .description import Description, Form
from .schemas import CAPABILITY, flag, items, moment, record, text

__all__ = ["EXAMPLE_PORTAL_ID", "EXAMPLE_SESSION_ID", "OPERATIONS", "PORTAL_ID", "SESSION_ID"]

#: The ids of a portal and of a session, wherever they are answered, and what they are in examples.
PORTAL_ID = text("the portal's id", pattern="^prt_[0-9A-Za-z]+$")
SESSION_ID = text("the session's id, which opens nothing", pattern="^ps_[0-9A-Za-z]+$")
EXAMPLE_PORTAL_ID, EXAMPLE_SESSION_ID = "prt_5wXc1Nvb8fKq2ZrT", "ps_8fKq2ZrT5wXc1Nvb"

_BACKEND = "Sessions, for your backend"
_CLIENT = "Sessions, for the end user's client"

_CODE, _TOKEN = "pst_" + "0Ab" * 14 + "Z", "pat_" + "0Ab" * 14 + "Z"
_EXPIRES = 1795564800000
_URL = text("where to redirect the user to; it holds the exchange code, and works once", format="uri")
_CODE_TEXT = text("the exchange code, a secret", pattern="^pst_[0-9A-Za-z]+$")
_TOKEN_TEXT = text("the access token, a secret", pattern="^pat_[0-9A-Za-z]+$")
_ENDS = moment("when the session ends")

_SESSION = record(
    {
        "id": SESSION_ID,
        "portal": record(
            {
                "id": PORTAL_ID,
                "slug": text("the portal's name in addresses"),
            },
            {"displayName": text("your product's name, as users know it")},
        ),
        "externalId": text("your id of the user"),
        "permissions": items(text("a permission as createSession got it")),
        "capabilities": items(CAPABILITY, "what the permissions mean"),
        "preview": flag("whether the session can look at everything and change nothing"),
        "createdAt": moment("when the session was made"),
        "expiresAt": _ENDS,
    },
    {"displayName": text("the user's name, as the pages show it")},
)
_EXAMPLE = {
    "id": EXAMPLE_SESSION_ID,
    "portal": {"id": EXAMPLE_PORTAL_ID, "slug": "my-portal", "displayName": "My product"},
    "externalId": "user_123",
    "permissions": ["api.*.read_key"],
    "capabilities": ["keys:read"],
    "preview": False,
    "createdAt": _EXPIRES - 86_400_000,
    "expiresAt": _EXPIRES,
}

OPERATIONS = {
    "portal.createSession": Description(
        summary="Make a session for one of your users, and get the link to redirect that user to",
        text="A request is in one of two forms: with `slug` and `permissions`, or with `portal` and `scopes`. A mixture is "
        "refused, and the answer is in the form of the request.",
        tag=_BACKEND,
        forms={
            "slug and permissions": Form(
                body=SlugSessionSerializer,
                answer={"data": record({"sessionId": _CODE_TEXT, "url": _URL})},
                example=(
                    {"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key", "keys:update"]},
                    {"data": {"sessionId": _CODE, "url": f"https://example.com/portal/my-portal/?session={_CODE}"}},
                ),
            ),
            "portal and scopes": Form(
                body=ScopedSessionSerializer,
                answer={"data": record({"id": SESSION_ID, "url": _URL})},
                example=(
                    {"portal": "my-portal", "externalId": "user_123", "scopes": ["keys:read", "keys:reroll"]},
                    {"data": {"id": EXAMPLE_SESSION_ID, "url": f"https://example.com/portal/my-portal/?code={_CODE}"}},
                ),
            ),
        },
        errors=(Forbidden, InsufficientPermissions, PortalConfigNotFound, PortalNotFound),
        links={"portal.exchangeSession": {"sessionId": "$response.body#/data/sessionId"}},
    ),
    "portal.exchangeSession": Description(
        summary="Turn an exchange code into an access token, once",
        text="In a browser the portal's own page does this. It sets no cookie, and looks at no credential.",
        tag=_CLIENT,
        forms={
            "sessionId": Form(
                answer={"data": record({"token": _TOKEN_TEXT, "expiresAt": _ENDS})},
                example=({"sessionId": _CODE}, {"data": {"token": _TOKEN, "expiresAt": _EXPIRES}}),
            )
        },
        errors=(PortalSessionNotFound,),
    ),
    "portal.exchangeCode": Description(
        summary="Turn an exchange code into an access token, once, in the words of later clients",
        tag=_CLIENT,
        forms={
            "code": Form(
                answer={"data": record({"accessToken": _TOKEN_TEXT, "expiresAt": _ENDS})},
                example=({"code": _CODE}, {"data": {"accessToken": _TOKEN, "expiresAt": _EXPIRES}}),
            )
        },
        errors=(PortalSessionNotFound,),
    ),
    "portal.getSession": Description(
        summary="Ask whose session it is, what it may do and until when",
        tag=_CLIENT,
        forms={
            "session": Form(
                answer={"data": _SESSION},
                example=({}, {"data": _EXAMPLE}),
            )
        },
    ),
    "portal.endSession": Description(
        summary="End the session",
        text="Its token is dead at once, in every browser and client.",
        tag=_CLIENT,
        forms={"end": Form(answer={"data": record({})}, example=({}, {"data": {}}))},
    ),
}
