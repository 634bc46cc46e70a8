"""The portal's four cookies (design decisions 6, 7 and 16). All are HttpOnly, host-only and for every path.

============================ ============================ ==============================================
portal_session               the access token             as long as the session
portal_nonce                 names the browser            as long as an exchange code
portal_return                portal and return link       30 days, so that an ended session leads back
portal_note                  what was just done           a minute, or until a page has said it (notes.py)
============================ ============================ ==============================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import cookies

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from portal import clock, tokens
from portal.conf import portal_settings
from portal.http import is_secure

__all__ = [
    "WayBack",
    "forget_session",
    "read_nonce",
    "read_way_back",
    "remember_session",
    "remember_way_back",
    "set_cookie",
    "set_nonce",
]

_NONCE = "portal_nonce"
_WAY_BACK = "portal_return"
_WAY_BACK_AGE = 30 * 24 * 3600
_SALT = "portal.pages.way_back"

# http.cookies learns Partitioned in Python 3.14 only; until then it is taught here, harmlessly twice.
cookies.Morsel._reserved.setdefault("partitioned", "Partitioned")  # type: ignore[attr-defined]
cookies.Morsel._flags.add("partitioned")  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where a browser was last signed in: the portal's slug and the session's return link, which may be empty.

    The link is checked again at each use: the operator may have taken its origin off the list.

    :param left: whether the user signed out there.
    """

    slug: str
    return_url: str
    left: bool = False


def _secure(request: HttpRequest) -> bool:
    configured = portal_settings.COOKIE_SECURE
    return is_secure(request) if configured is None else configured


def set_cookie(response: HttpResponseBase, request: HttpRequest, name: str, value: str, max_age: int) -> None:
    """Set one of the portal's cookies, for ``max_age`` seconds; 0 takes it away."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        secure=_secure(request),
        httponly=True,
        samesite=portal_settings.COOKIE_SAMESITE,
    )
    if portal_settings.COOKIE_PARTITIONED:
        response.cookies[name]["partitioned"] = True


def remember_session(response: HttpResponseBase, request: HttpRequest, token: str, expires_at: datetime) -> None:
    """Give the browser its access token until ``expires_at`` (aware)."""
    set_cookie(response, request, portal_settings.COOKIE_NAME, token, int((expires_at - clock.now()).total_seconds()))


def forget_session(response: HttpResponseBase, request: HttpRequest) -> None:
    """Take the access token out of the browser."""
    set_cookie(response, request, portal_settings.COOKIE_NAME, "", 0)


def _nonce_name(request: HttpRequest) -> str:
    # The __Host- prefix keeps a sibling host from planting a nonce that it knows; browsers allow it with Secure only.
    return f"__Host-{_NONCE}" if _secure(request) else _NONCE


def read_nonce(request: HttpRequest) -> str | None:
    """Return the browser's nonce, or None without a well-formed one."""
    value = request.COOKIES.get(_nonce_name(request), "")
    return value if tokens.is_nonce(value) else None


def set_nonce(response: HttpResponseBase, request: HttpRequest, value: str) -> None:
    """Give the browser its nonce, for as long as an exchange code can be used."""
    set_cookie(response, request, _nonce_name(request), value, int(portal_settings.CODE_TTL.total_seconds()))


def remember_way_back(response: HttpResponseBase, request: HttpRequest, way_back: WayBack) -> None:
    """Keep where the user came from, signed, beyond the end of the session."""
    value = signing.dumps([way_back.slug, way_back.return_url, way_back.left], salt=_SALT)
    set_cookie(response, request, _WAY_BACK, value, _WAY_BACK_AGE)


def read_way_back(request: HttpRequest) -> WayBack | None:
    """Return where the user came from, or None when nothing valid says so."""
    try:
        # Of two values, if an earlier version set it.
        return WayBack(*signing.loads(request.COOKIES.get(_WAY_BACK, ""), salt=_SALT, max_age=_WAY_BACK_AGE))
    except signing.BadSignature:
        return None
