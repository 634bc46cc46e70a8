"""Refusals about an end user's API keys; a key store raises these, whoever keeps the keys (design decision 17)."""

from __future__ import annotations

from http import HTTPStatus

from .problem import PortalError

__all__ = [
    "ApiKeyNotFound",
    "KeyAlreadyCreated",
    "KeyChangedMeanwhile",
    "KeyLimitReached",
    "KeyLocked",
    "KeyNameTaken",
    "KeyNotActive",
    "KeyStoreFailed",
    "KeyStoreUnavailable",
]


class ApiKeyNotFound(PortalError):
    """The owner has no such key. A key of somebody else and one that never existed are not told apart."""

    code = "unkey/data/key_not_found"
    status = HTTPStatus.NOT_FOUND
    default_detail = "The specified key was not found."


class KeyAlreadyCreated(PortalError):
    """An earlier request with the same ``Idempotency-Key`` made this secret, and a secret is shown once.

    :param key_id: the key that the earlier request made or rotated; the caller's own.
    """

    code = "portal/keys/already_created"
    status = HTTPStatus.CONFLICT
    default_detail = "An earlier request with this Idempotency-Key was carried out. Its secret was shown then, once."

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(
            f"An earlier request with this Idempotency-Key was carried out, for key {key_id}. Its secret was shown then and "
            "cannot be shown again; rotate the key to get a new one."
        )


class KeyNameTaken(PortalError):
    """The owner has another key of this name."""

    code = "portal/keys/name_taken"
    status = HTTPStatus.CONFLICT
    default_detail = "You already have a key of this name. Choose another name."


class KeyLimitReached(PortalError):
    """The owner has as many keys as the portal allows.

    :param limit: how many that are.
    """

    code = "portal/keys/limit_reached"
    status = HTTPStatus.CONFLICT
    default_detail = "You have as many keys as you may have. Revoke one to create another."

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"You have {limit} of {limit} keys. Revoke one to create another.")


class KeyChangedMeanwhile(PortalError):
    """The key is not as the caller believed it to be; nothing was written."""

    code = "portal/keys/changed_meanwhile"
    status = HTTPStatus.CONFLICT
    default_detail = "This key changed meanwhile. Look at it again before you change it."


class KeyNotActive(PortalError):
    """The key is disabled or has expired, so it is not rotated."""

    code = "portal/keys/not_active"
    status = HTTPStatus.CONFLICT
    default_detail = "This key is disabled or has expired. Enable it, or give it a later end, before you rotate it."


class KeyLocked(PortalError):
    """The operator locked the key; its owner can look at it and no more."""

    code = "portal/keys/locked"
    status = HTTPStatus.FORBIDDEN
    default_detail = "The operator locked this key. Ask them to unlock it."


class KeyStoreUnavailable(PortalError):
    """The key store cannot be reached or did not answer in time. Whether it acted is not known."""

    code = "portal/keys/store_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = (
        "The key store does not answer right now. Send the same request again, with the same Idempotency-Key."
    )

    def __init__(self, detail: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class KeyStoreFailed(PortalError):
    """The key store failed, or answered what makes no sense; the log has the rest under the request id."""

    code = "portal/keys/store_failed"
    status = HTTPStatus.BAD_GATEWAY
    default_detail = "The key store failed. Your keys keep working. Mention the request id when you ask for help."
