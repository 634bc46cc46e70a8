"""Which credential a request presents (design decision 2): the Authorization header, and only without one the cookie."""

from __future__ import annotations

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from . import tokens
from .authenticate import AuthenticatedRootKey, AuthenticatedSession, authenticate_root_key, authenticate_session
from .conf import portal_settings
from .errors import (
    AuthenticationMalformed,
    AuthenticationMissing,
    KeyDisabled,
    KeyNotFound,
    PortalSessionNotFound,
    PortalTokenMissing,
)
from .throttle import count_failure

__all__ = [
    "CHALLENGE",
    "INVALID_TOKEN",
    "bearer_key",
    "cookie_session",
    "present_root_key",
    "present_session",
]

#: WWW-Authenticate of a 401 (RFC 6750 section 3): the error only when a token came.
CHALLENGE = 'Bearer realm="portal"'
INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token"'


def _bearer(header: str) -> str | None:
    """Return the token of a Bearer header, empty if there is none, or None for another scheme."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


@sensitive_variables("token", "header")
def present_session(request: HttpRequest) -> tuple[AuthenticatedSession, bool]:
    """Return the live session that ``request`` presents, and whether by cookie.

    A cookie comes along by itself, so a write needs more proof.

    :raises PortalTokenMissing: no token, or one that is recognisably a credential of another kind.
    :raises PortalSessionNotFound: a token that is not a live session's.
    :raises TooManyRequests: the same, from an address that failed too often.
    """
    # META, because request.headers makes a mapping of all headers first, on a path that every request takes.
    header = request.META.get("HTTP_AUTHORIZATION")
    by_cookie = header is None
    token = request.COOKIES.get(portal_settings.COOKIE_NAME, "") if header is None else _bearer(header)
    if not token:
        raise PortalTokenMissing(headers={"WWW-Authenticate": CHALLENGE})
    refused = {"WWW-Authenticate": INVALID_TOKEN}
    if not token.startswith(tokens.ACCESS_TOKEN) and (token.startswith(tokens.ROOT_KEY) or tokens.is_api_key(token)):
        raise PortalTokenMissing(headers=refused)
    # What a view answers to this request is about one person. Django's cache middleware would keep the answer for everybody:
    # nothing here varies by Cookie, as reading Django's session does.
    request._cache_update_cache = False  # type: ignore[attr-defined]
    session = authenticate_session(token)
    if session is None:
        count_failure(request)
        raise PortalSessionNotFound(headers=refused)
    return session, by_cookie


def cookie_session(request: HttpRequest) -> AuthenticatedSession | None:
    """Return the live session of the request's cookie, if any: what the portal's own pages go by.

    They never look at the Authorization header, so that a staging site behind HTTP Basic works.
    """
    # What another process has ended may still be remembered here. It may be seen for a moment longer, but changes nothing.
    afresh = request.method == "POST"
    return authenticate_session(request.COOKIES.get(portal_settings.COOKIE_NAME, ""), afresh=afresh)


@sensitive_variables("key", "header")
def bearer_key(request: HttpRequest) -> str:
    """Return the key that ``request`` presents, ``Authorization: Bearer <key>``; it is not looked at yet.

    :raises AuthenticationMissing: no Authorization header.
    :raises AuthenticationMalformed: it is not ``Bearer <key>``.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        raise AuthenticationMissing(headers={"WWW-Authenticate": CHALLENGE})
    key = _bearer(header)
    if not key:
        raise AuthenticationMalformed(headers={"WWW-Authenticate": CHALLENGE})
    return key


@sensitive_variables("key")
def present_root_key(request: HttpRequest) -> AuthenticatedRootKey:
    """Return the root key that ``request`` presents. Cookies are never looked at here.

    :raises AuthenticationMissing: no Authorization header.
    :raises AuthenticationMalformed: it is not ``Bearer <key>``.
    :raises KeyNotFound: unknown or expired.
    :raises TooManyRequests: the same, from an address that failed too often.
    :raises KeyDisabled: switched off by an operator.
    """
    key = bearer_key(request)
    root_key = authenticate_root_key(key)
    if root_key is None:
        count_failure(request)
        raise KeyNotFound(headers={"WWW-Authenticate": INVALID_TOKEN})
    if not root_key.enabled:
        raise KeyDisabled
    return root_key
