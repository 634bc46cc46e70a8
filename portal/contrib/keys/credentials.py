"""Which API key a request presents, and what its client is told when that is not good enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from portal.credentials import INVALID_TOKEN, bearer_key
from portal.errors import (
    Forbidden,
    InsufficientPermissions,
    KeyDisabled,
    KeyNotFound,
    PortalError,
)
from portal.keystore.base import Outcome
from portal.throttle import count_failure

from .permission_query import PermissionQuery
from .verify import Verification, VerifiedKey, verify

__all__ = ["present_api_key"]


@sensitive_variables("key")
def present_api_key(
    request: HttpRequest,
    *,
    permissions: str | Iterable[str | PermissionQuery] = (),
    keyspace_id: str | Collection[str] | None = None,
) -> VerifiedKey:
    """Return the good API key that ``request`` presents, ``Authorization: Bearer <key>``. Cookies are never looked at here.

    The parameters are those of :func:`~portal.contrib.keys.verify.verify`.

    :raises AuthenticationMissing: no Authorization header.
    :raises AuthenticationMalformed: it is not ``Bearer <key>``.
    :raises KeyNotFound: unknown, revoked, of another keyspace, or expired; which, is not told.
    :raises TooManyRequests: the same, from an address that failed too often; or the key's own rate limit is exceeded.
    :raises KeyDisabled: its owner switched it off.
    :raises Forbidden: an operator locked it.
    :raises InsufficientPermissions: it lacks one of ``permissions``, which ``detail`` names.
    """
    key = bearer_key(request)
    # Django's cache middleware would keep this one's answer, and give it to everybody without asking for a key.
    request._cache_update_cache = False  # type: ignore[attr-defined]
    verification = verify(key, permissions=permissions, keyspace_id=keyspace_id)
    if verification.valid and verification.key is not None:
        return verification.key
    if refusal := _refusal(verification):
        raise refusal
    count_failure(request)
    raise KeyNotFound(headers={"WWW-Authenticate": INVALID_TOKEN})


def _refusal(verification: Verification) -> PortalError | None:
    """Return what tells a client that its key is known; None where it must not learn that."""
    if verification.rate_limit is not None:
        return verification.rate_limit.refusal()
    match verification.outcome:
        case Outcome.FORBIDDEN:
            return Forbidden("The API key used for authentication has been locked")
        case Outcome.DISABLED:
            return KeyDisabled()
        case Outcome.INSUFFICIENT_PERMISSIONS:
            return InsufficientPermissions(f"Missing permission: '{verification.missing}'")
        case _:
            return None
