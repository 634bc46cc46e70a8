"""Errors about an end user's API keys, and about the store that keeps them."""

from __future__ import annotations

from portal.errors import (
    ApiKeyNotFound,
    Forbidden,
    InsufficientPermissions,
    InvalidInput,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
    KeyStoreFailed,
    KeyStoreUnavailable,
    ServiceUnavailable,
    UnexpectedError,
)

from .doc import CREATE_KEY, DELETE_KEY, ENABLE_KEY, EXAMPLE_KEY_ID, LIST_KEYS, REROLL_KEY, ErrorDoc

__all__ = ["DOCS"]

DOCS = (
    ErrorDoc(
        example=ApiKeyNotFound(),
        title="There is no such key",
        call="`portal.rerollKey` with a `keyId` that the user does not have",
        happened=(
            "The user whose session this is has no key with this id at this portal. The response does not reveal whether "
            "another user has it. Nothing was changed."
        ),
        causes=(
            "The key was revoked, perhaps in another tab or by another client of the same user.",
            "The id is of another user, or of another portal with other keys.",
            "The secret was sent in place of the id. An id begins with `key_`.",
        ),
        fix="Take the `keyId` from an answer of `portal.listKeys`.",
        curl=LIST_KEYS,
        mistakes=(
            "Keeping ids of keys across portals. Each portal shows the keys of its own keyspace.",
            "Taking it for an expired session: that is a 401.",
        ),
        related=(InvalidInput, InsufficientPermissions),
    ),
    ErrorDoc(
        example=KeyLocked(),
        title="The operator locked this key",
        call="`portal.rerollKey` for a key that is locked",
        happened="An operator locked the key. It is refused by the API that it was for, and its owner cannot change it.",
        causes=(
            "The key was found in a public place, and the operator stopped it.",
            "The account it belongs to has a matter to settle first.",
        ),
        fix=(
            "Ask the operator to unlock the key, and send the request again. If the key was found where it should not be, "
            "rotate it then. Another key of the same user can take its place meanwhile."
        ),
        curl=REROLL_KEY,
        mistakes=(
            "Enabling the key. The lock is not the switch `enabled`, and the owner cannot take it off.",
            "Reading `enabled` of `portal.listKeys` as the owner's switch. It is false for a locked key too.",
        ),
        related=(KeyNotActive, Forbidden),
    ),
    ErrorDoc(
        example=KeyAlreadyCreated(EXAMPLE_KEY_ID),
        title="This request was carried out before",
        call="`portal.rerollKey`, sent a second time with the same `Idempotency-Key`",
        happened=(
            "An earlier request with this `Idempotency-Key` made the key, or rotated it. No second one was made. `detail` "
            "names the key; its secret was in the earlier answer and is nowhere now."
        ),
        causes=(
            "The earlier answer was lost on its way, and the client repeated the request, as it should.",
            "Two requests that were meant as two keys carry the same `Idempotency-Key`.",
        ),
        fix=(
            "If the secret was lost, rotate the key that `detail` names. If another key was meant, send it with an "
            "`Idempotency-Key` of its own."
        ),
        curl=REROLL_KEY,
        mistakes=(
            "Repeating once more. The answer stays the same.",
            "Using one `Idempotency-Key` for a whole run of a script. Make one for each key, such as a random UUID.",
        ),
        related=(KeyNameTaken, KeyStoreUnavailable),
    ),
    ErrorDoc(
        example=KeyNameTaken(),
        title="Another key has this name",
        call="`portal.createKey` with the name of a key that the user has",
        happened="The user has a key of this name, and names are how people tell keys apart. Nothing was changed.",
        causes=(
            "The key was made before, perhaps by a repeat without `Idempotency-Key`.",
            "A disabled, expired or locked key has the name. It counts until it is revoked.",
        ),
        fix="Choose another name, or revoke the key that has this one.",
        curl=CREATE_KEY,
        mistakes=("Adding spaces. Those around a name do not count.",),
        related=(KeyAlreadyCreated, KeyLimitReached),
    ),
    ErrorDoc(
        example=KeyLimitReached(1),
        title="The user has as many keys as allowed",
        call="`portal.createKey` at a portal that allows one key, for a user who has it",
        happened="The portal allows each user a number of keys, which `detail` names, and they are used up.",
        causes=(
            "Keys that nobody needs any more were never revoked. Disabled and expired ones count.",
            "A script makes a new key at every run.",
        ),
        fix=(
            "Revoke a key that nobody needs, and send the request again. To replace a secret, rotate its key: that needs no "
            "second one."
        ),
        curl=DELETE_KEY,
        mistakes=(
            "Waiting. No key goes away by itself.",
            "Disabling keys to make room. A disabled key can be enabled again, so it counts.",
        ),
        related=(KeyNameTaken,),
    ),
    ErrorDoc(
        example=KeyChangedMeanwhile(),
        title="The key changed meanwhile",
        call="`portal.updateKey`, while another client changes the same key",
        happened="Between looking at the key and changing it, somebody else changed it. Nothing of this request was saved.",
        causes=(
            "Two tabs or two clients edit the same key.",
            "The key was rotated after it was looked at.",
        ),
        fix="Read the key again, and send the change that is still wanted.",
        curl=LIST_KEYS,
        mistakes=("Repeating without a look: that overwrites what somebody else just did.",),
        related=(ApiKeyNotFound, KeyLocked),
    ),
    ErrorDoc(
        example=KeyNotActive(),
        title="A disabled or expired key is not rotated",
        call="`portal.rerollKey` for a key that is disabled",
        happened="The key is switched off, or its end has passed. A new secret would not work either, so none was made.",
        causes=(
            "The key's end has passed.",
            "Its owner switched it off.",
        ),
        fix="Enable the key, or give it a later `expires`, with `portal.updateKey`. Then rotate it.",
        curl=f"{ENABLE_KEY} -o /dev/null &&\n{REROLL_KEY}",
        mistakes=(
            "Creating a second key of the same name. That is refused while the first is there.",
            "Enabling a key that has expired. Only a later end makes it active again.",
        ),
        related=(KeyLocked, ApiKeyNotFound),
    ),
    ErrorDoc(
        example=KeyStoreFailed(),
        title="The key store failed",
        call="`portal.listKeys`, when the key store fails",
        happened=(
            "The keys are kept by a store that the operator chose, and it failed or gave an answer that makes no sense. "
            "The session is not touched. The log has the rest under the `requestId`."
        ),
        causes=(
            "A fault in the store's own code, or a change in the service behind it.",
            "The store's options in `KEY_STORE` are wrong.",
        ),
        fix="Give the `requestId` to the operator. Keys that exist keep working.",
        curl=LIST_KEYS,
        mistakes=(
            "Signing in again. The session is fine.",
            "Taking a failed rotation for one that did nothing. Look at the key's `start` before you repeat it.",
        ),
        related=(KeyStoreUnavailable, UnexpectedError),
    ),
    ErrorDoc(
        example=KeyStoreUnavailable(),
        title="The key store does not answer",
        call="`portal.listKeys`, when the key store does not answer",
        happened=(
            "The store that keeps the keys could not be reached, or took too long. What was asked of it may have happened "
            "all the same. The session is not touched."
        ),
        causes=(
            "The service behind the store is down, or the network to it.",
            "It is overloaded, and earlier calls to it still wait.",
        ),
        fix=(
            "Wait for as many seconds as `Retry-After` says. Send the same request with the same `Idempotency-Key`: then no "
            "second key can come of it."
        ),
        curl=LIST_KEYS,
        mistakes=("Repeating `portal.createKey` without an `Idempotency-Key`. That can make two keys.",),
        related=(KeyStoreFailed, KeyAlreadyCreated, ServiceUnavailable),
    ),
)
