"""Every refusal that the portal can answer: its code, HTTP status, title and public text.

The codes under ``unkey/`` and ``user/`` belong to the wire contract and keep its words; those under ``portal/`` are
additions of this app. A text here is fixed and public: it never carries an id, a slug or anything else that a stranger
could learn from (the caller's own input is named by its place in ``errors[]``, never echoed).

This module imports no framework, so that a key store or a script can raise these errors. Those about API keys are written
in key_errors.py and belong to the catalogue like all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from .key_errors import (
    ApiKeyNotFound,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
    KeyStoreFailed,
    KeyStoreUnavailable,
)
from .problem import ErrorCode, FieldError, PortalError

__all__ = [
    "CATALOGUE",
    "ApiKeyNotFound",
    "AuthenticationMalformed",
    "AuthenticationMissing",
    "BodyTooLarge",
    "BodyUnreadable",
    "FieldError",
    "Forbidden",
    "InsufficientPermissions",
    "InvalidInput",
    "KeyAlreadyCreated",
    "KeyChangedMeanwhile",
    "KeyDisabled",
    "KeyLimitReached",
    "KeyLocked",
    "KeyNameTaken",
    "KeyNotActive",
    "KeyNotFound",
    "KeyStoreFailed",
    "KeyStoreUnavailable",
    "MethodNotAllowed",
    "PortalAlreadyExists",
    "PortalConfigNotFound",
    "PortalError",
    "PortalNotFound",
    "PortalSessionNotFound",
    "PortalTokenMissing",
    "ServiceUnavailable",
    "TooManyRequests",
    "UnexpectedError",
    "UnknownOperation",
    "UnsupportedMediaType",
]


class InvalidInput(PortalError):
    """The body is not what the operation takes; ``errors`` says where and what to do."""

    code = "unkey/application/invalid_input"
    status = HTTPStatus.BAD_REQUEST
    default_detail = "The request is not valid."


class BodyUnreadable(PortalError):
    """The connection broke, or the body ended, before all of it had arrived; or its length was not announced."""

    code = "user/bad_request/request_body_unreadable"
    status = HTTPStatus.BAD_REQUEST
    default_detail = "The request body could not be read."


class BodyTooLarge(PortalError):
    """The body exceeds the limit; nothing of it was read."""

    code = "user/bad_request/request_body_too_large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    # The contract's words; Python 3.13 renamed the phrase to "Content Too Large".
    title = "Request Entity Too Large"
    default_detail = "The request body exceeds the maximum allowed size of 262144 bytes."


class AuthenticationMissing(PortalError):
    """A root key is needed and no Authorization header came."""

    code = "unkey/authentication/missing"
    status = HTTPStatus.UNAUTHORIZED
    default_detail = "Authentication credentials were not provided"


class AuthenticationMalformed(PortalError):
    """The Authorization header is not ``Bearer <root key>``."""

    code = "unkey/authentication/malformed"
    status = HTTPStatus.UNAUTHORIZED
    default_detail = "Authentication credentials were incorrectly formatted"


class KeyNotFound(PortalError):
    """The root key is unknown or has expired; the two are not told apart."""

    code = "unkey/authentication/key_not_found"
    status = HTTPStatus.UNAUTHORIZED
    default_detail = "The provided API key was not found"


class PortalTokenMissing(PortalError):
    """A portal endpoint was called without an access token, or with a credential of another kind."""

    code = "unkey/authentication/portal_token_missing"
    status = HTTPStatus.UNAUTHORIZED
    default_detail = "A portal session token is required for this request."


class PortalSessionNotFound(PortalError):
    """The access token or exchange code is unknown, expired, revoked or used; the four are not told apart."""

    code = "unkey/authentication/portal_session_not_found"
    status = HTTPStatus.UNAUTHORIZED
    default_detail = "Session is invalid, expired, or has already been used."


class Forbidden(PortalError):
    """The caller is known, and this is switched off for it: a disabled portal, a preview, a foreign origin."""

    code = "unkey/authorization/forbidden"
    status = HTTPStatus.FORBIDDEN
    default_detail = "Portal is disabled."


class InsufficientPermissions(PortalError):
    """The caller is known and lacks a permission or capability, which ``detail`` names."""

    code = "unkey/authorization/insufficient_permissions"
    status = HTTPStatus.FORBIDDEN
    default_detail = "You do not have the permission that this request needs."


class KeyDisabled(PortalError):
    """The root key is known and an operator has disabled it."""

    code = "unkey/authorization/key_disabled"
    status = HTTPStatus.FORBIDDEN
    default_detail = "The API key used for authentication has been disabled"


class PortalConfigNotFound(PortalError):
    """No portal has this slug, or the root key may not know of it; the two are not told apart."""

    code = "unkey/data/portal_config_not_found"
    status = HTTPStatus.NOT_FOUND
    default_detail = "Portal configuration not found."


class PortalNotFound(PortalError):
    """No portal has this id or slug, or the root key may not know of it; in the words of the newer dialect."""

    code = "unkey/data/portal_not_found"
    status = HTTPStatus.NOT_FOUND
    default_detail = "Portal not found."


class PortalAlreadyExists(PortalError):
    """Another portal has this slug, or shows this keyspace."""

    code = "unkey/data/portal_already_exists"
    status = HTTPStatus.CONFLICT
    title = "Conflicting Resource"
    default_detail = "That slug is already in use. Choose a different slug."


class UnknownOperation(PortalError):
    """No operation has this path; a trailing slash is enough to miss one."""

    code = "portal/request/unknown_operation"
    status = HTTPStatus.NOT_FOUND
    default_detail = "No operation has this path. Check its spelling; operation paths have no trailing slash."


class MethodNotAllowed(PortalError):
    """Operations take POST only."""

    code = "portal/request/method_not_allowed"
    status = HTTPStatus.METHOD_NOT_ALLOWED
    default_detail = "Every operation is called with POST and a JSON body."


class UnsupportedMediaType(PortalError):
    """The body is not plain ``application/json`` in UTF-8."""

    code = "portal/request/unsupported_media_type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    default_detail = "Send the body as UTF-8 JSON with 'Content-Type: application/json' and no Content-Encoding."


class TooManyRequests(PortalError):
    """The caller did one thing too often.

    :param limit: how many were allowed in the window.
    :param window: the window's length in words, such as ``min``.
    :param reset: seconds until the window ends, 1 or more.
    """

    code = "user/too_many_requests/workspace_rate_limited"
    status = HTTPStatus.TOO_MANY_REQUESTS
    default_detail = "This workspace has exceeded its API rate limit. Please try again later."

    def __init__(self, limit: int, window: str, reset: int) -> None:
        self.wait = reset
        super().__init__(
            f"This workspace has exceeded its API rate limit of {limit}/{window}. Please try again later.",
            headers={
                "Retry-After": str(reset),
                "RateLimit-Limit": str(limit),
                "RateLimit-Remaining": "0",
                "RateLimit-Reset": str(reset),
            },
        )


class UnexpectedError(PortalError):
    """A fault of the server; the log has the traceback under the request id."""

    code = "unkey/application/unexpected_error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    default_detail = "An internal error occurred."


class ServiceUnavailable(PortalError):
    """The database cannot be reached or refuses to write; nothing was changed and a repeat is safe."""

    code = "unkey/application/service_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The service is not available right now. Nothing was changed; send the same request again."

    def __init__(self, detail: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


#: Every code that this app can answer, by its path.
CATALOGUE: Mapping[str, ErrorCode] = {error.code: error.entry() for error in PortalError.__subclasses__()}
