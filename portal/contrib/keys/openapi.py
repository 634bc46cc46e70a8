"""The operation of this app in the OpenAPI document; :mod:`portal.api.openapi` looks for this module."""

from __future__ import annotations

from portal.api.openapi.about_keys import KEY_ID, rate_limit
from portal.api.openapi.description import Description, Form
from portal.api.openapi.schemas import flag, items, moment, number, one_of, record, text
from portal.api.openapi.security import BearerScheme
from portal.error_docs.doc import EXAMPLE_KEY_ID
from portal.errors import InsufficientPermissions

__all__ = ["OPERATIONS", "ApiKeyScheme"]

_CODES = {
    "VALID": "is good",
    "NOT_FOUND": "is unknown, revoked, or of another keyspace",
    "FORBIDDEN": "was locked by an operator",
    "DISABLED": "was switched off by its owner",
    "EXPIRED": "has ended, or what was sent is an old secret that has",
    "INSUFFICIENT_PERMISSIONS": "lacks what `permissions` asks for",
    "RATE_LIMITED": "was used too often; `ratelimits` has `remaining` and `reset`",
}


class ApiKeyScheme(BearerScheme):
    """How a host's own views, which API keys open, say so."""

    target_class = "portal.contrib.keys.authentication.ApiKeyAuthentication"
    match_subclasses = True
    name = "portalApiKey"
    text = "An API key from the portal."


_VERIFICATION = record(
    {"valid": flag("whether to serve the request"), "code": one_of(_CODES, "The key:")},
    {
        "keyId": KEY_ID,
        "name": text("its name"),
        "enabled": flag("false when its owner switched it off or an operator locked it"),
        "identity": record({"id": text("as externalId"), "externalId": text("your id of the user whose key it is")}),
        "expires": moment("when what was sent ends"),
        "permissions": items(text("a permission"), "what it may do in your API", minItems=1),
        "meta": {"type": "object", "description": "what your backend keeps with the key"},
        "ratelimits": rate_limit(
            {
                "remaining": number("how many requests are left in this window"),
                "reset": number("milliseconds until this window ends", 1),
                "exceeded": flag("whether this request was one too many"),
            }
        ),
    },
)
_EXAMPLE = {
    "valid": True,
    "code": "VALID",
    "keyId": EXAMPLE_KEY_ID,
    "name": "Laptop",
    "enabled": True,
    "identity": {"id": "user_123", "externalId": "user_123"},
    "expires": 1803254400000,
}

OPERATIONS = {
    "keys.verifyKey": Description(
        summary="Ask whether an API key is good",
        text="The status is 200 whether the key is good or not; `valid` and `code` say it. The root key needs "
        "`api.*.verify_key`, or the portal's keyspace id in place of `*`; then other keyspaces' keys are unknown to it.",
        tag="Verification",
        forms={
            "key": Form(answer={"data": _VERIFICATION}, example=({"key": "sk_" + "4Tqw8Zr" * 7}, {"data": _EXAMPLE}))
        },
        errors=(InsufficientPermissions,),
    )
}
