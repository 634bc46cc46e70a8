"""The operations on the end user's API keys."""

from __future__ import annotations

from portal.error_docs.doc import EXAMPLE_KEY_ID
from portal.errors import (
    ApiKeyNotFound,
    InsufficientPermissions,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
    KeyStoreFailed,
    KeyStoreUnavailable,
)

from .description import Description, Form
from .schemas import Schema, flag, items, moment, number, record, ref, text

__all__ = ["KEY_ID", "OPERATIONS", "SCHEMAS", "rate_limit"]

_TAG = "API keys"
_OF_ALL = (InsufficientPermissions, KeyStoreFailed, KeyStoreUnavailable)
_ON_A_KEY = (*_OF_ALL, KeyLocked, ApiKeyNotFound)

#: The id of a key, wherever it is answered.
KEY_ID = text("the key's id, which stays when it gets a new secret", pattern="^[0-9A-Za-z_]{3,255}$")


def rate_limit(more: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of ``ratelimits``, whose one limit has these members too."""
    limit = record(
        {
            "id": KEY_ID,
            "name": text("the limit's name"),
            "limit": number("how many requests there are in a window"),
            "duration": number("the window, in milliseconds"),
            "autoApply": flag("true: every request counts"),
            **(more or {}),
        }
    )
    return items(limit, "how often it may be used", minItems=1, maxItems=1)


SCHEMAS: dict[str, Schema] = {
    "ApiKey": record(
        {
            "keyId": KEY_ID,
            "start": text("the first characters of the secret"),
            "name": text("its name"),
            "enabled": flag(
                "false when its owner switched it off or an operator locked it; an ended key keeps its switch"
            ),
            "createdAt": moment("when it was made"),
        },
        {
            "updatedAt": moment("when it was changed, last"),
            "lastUsedAt": moment("when it was used, last"),
            "expires": moment("when it ends"),
            "permissions": items(text("a permission"), "what it may do in your API", minItems=1),
            "meta": {"type": "object", "description": "what your backend keeps with the key"},
            "ratelimits": rate_limit(),
        },
    )
}
_KEY = {
    "keyId": EXAMPLE_KEY_ID,
    "start": "sk_4Tqw",
    "name": "Laptop",
    "enabled": True,
    "createdAt": 1795478400000,
    "expires": 1803254400000,
}
_SECRET = record({"keyId": KEY_ID, "key": text("the secret; it is in this answer and never again")})
_ANSWERED = {"keyId": EXAMPLE_KEY_ID, "key": "sk_" + "4Tqw8Zr" * 7}
_SAME_KEY = {"keyId": "$response.body#/data/keyId"}

OPERATIONS = {
    "portal.createKey": Description(
        summary="Make an API key for the user",
        text="The operator sets the allowed expiry, key limit and permissions per portal.",
        tag=_TAG,
        forms={"key": Form(answer={"data": _SECRET}, example=({"name": "Laptop"}, {"data": _ANSWERED}))},
        errors=(*_OF_ALL, KeyAlreadyCreated, KeyNameTaken, KeyLimitReached),
        idempotent=True,
        links={
            "portal.rerollKey": _SAME_KEY,
            "portal.updateKey": _SAME_KEY,
            "portal.deleteKey": _SAME_KEY,
        },
    ),
    "portal.listKeys": Description(
        summary="List the user's API keys, the newest first",
        tag=_TAG,
        forms={
            "page": Form(
                answer={"data": items(ref("ApiKey"), maxItems=100), "pagination": ref("Pagination")},
                example=({"limit": 10}, {"data": [_KEY], "pagination": {"hasMore": False}}),
            )
        },
        errors=_OF_ALL,
        links={
            "portal.listKeys": {"cursor": "$response.body#/pagination/cursor"},
            "portal.rerollKey": {"keyId": "$response.body#/data/0/keyId"},
            "portal.updateKey": {"keyId": "$response.body#/data/0/keyId"},
        },
    ),
    "portal.rerollKey": Description(
        summary="Give a key a new secret",
        text="The key stays what it is: its id, name, end and permissions. The secret from before works until `expiration` "
        "has passed; one from an earlier rotation ends now.",
        tag=_TAG,
        forms={
            "key": Form(
                answer={"data": _SECRET},
                example=({"keyId": EXAMPLE_KEY_ID, "expiration": 3600000}, {"data": _ANSWERED}),
            )
        },
        errors=(*_ON_A_KEY, KeyAlreadyCreated, KeyNotActive),
        idempotent=True,
        links={"portal.deleteKey": _SAME_KEY},
    ),
    "portal.updateKey": Description(
        summary="Change a key: its name, end, switch or permissions",
        text="What is left out stays; at least one member beside `keyId` has to be there.",
        tag=_TAG,
        forms={
            "key": Form(
                answer={"data": ref("ApiKey")},
                example=(
                    {"keyId": EXAMPLE_KEY_ID, "enabled": False},
                    {"data": {**_KEY, "enabled": False, "updatedAt": 1795478460000}},
                ),
            )
        },
        errors=(*_ON_A_KEY, KeyNameTaken, KeyChangedMeanwhile),
        links={"portal.rerollKey": _SAME_KEY},
    ),
    "portal.deleteKey": Description(
        summary="Revoke a key, for ever",
        text="To refuse a key for a while, use `enabled` of `portal.updateKey`.",
        tag=_TAG,
        forms={"key": Form(answer={"data": record({})}, example=({"keyId": EXAMPLE_KEY_ID}, {"data": {}}))},
        errors=_ON_A_KEY,
    ),
}
