"""Which pages on other origins may read the API's answers with a user's cookie (design decision 9).

By hand, because whether an origin counts is a portal's own list: django-cors-headers has one switch for the whole host and
sees no session. Never ``*``, never ``null``, never by suffix, and never on createSession, which is for backends.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from portal.authenticate import AuthenticatedSession
from portal.models import PortalConfig
from portal.outage import DATABASE_AWAY

__all__ = ["add_cors_headers", "add_preflight_headers", "is_preflight"]

ALLOW_HEADERS = "Authorization, Content-Type, Idempotency-Key"
EXPOSE_HEADERS = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, WWW-Authenticate, X-Request-Id"
MAX_AGE_SECONDS = 600


def is_preflight(request: HttpRequest) -> bool:
    """Say whether a browser asks, before a request from another origin, whether it may send it."""
    # META, because request.headers makes a mapping of all headers first, and this is asked of every answer.
    meta = request.META
    return request.method == "OPTIONS" and "HTTP_ORIGIN" in meta and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in meta


def _listed_by_any_portal(origin: str) -> bool:
    # Read whole and compared here: no lookup into JSON is the same on every database, and portals are few.
    lists = PortalConfig.objects.enabled().order_by().values_list("allowed_origins", flat=True)
    try:
        return any(origin in origins for origins in lists)
    except DATABASE_AWAY:
        return False


def _allow(response: HttpResponseBase, origin: str) -> None:
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Allow-Credentials"] = "true"


def add_cors_headers(response: HttpResponseBase, request: HttpRequest, session: AuthenticatedSession | None) -> None:
    """Let the page that asked read the answer, if its origin is listed.

    :param session: the session that the answer is for: then its own portal must list the origin. Without one any enabled
        portal will do, so that browser code can read ``portal_token_missing``.
    """
    patch_vary_headers(response, ("Origin",))
    origin = request.META.get("HTTP_ORIGIN")
    # A 403 without a session refuses a write by cookie from an origin that the cookie's own portal does not list.
    if origin is None or (session is None and response.status_code == 403):
        return
    if origin in session.portal_allowed_origins if session else _listed_by_any_portal(origin):
        _allow(response, origin)
        response["Access-Control-Expose-Headers"] = EXPOSE_HEADERS


def add_preflight_headers(response: HttpResponseBase, request: HttpRequest) -> None:
    """Answer a preflight: the request may come if any enabled portal lists its origin. Whose session it is shows later."""
    patch_vary_headers(response, ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"))
    origin = request.headers["Origin"]
    if _listed_by_any_portal(origin):
        _allow(response, origin)
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = ALLOW_HEADERS
        response["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
