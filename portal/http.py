"""Facts about a request that decide who is trusted: its own origin, whether it came from there, the client's address."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import connections, transaction
from django.http import HttpRequest

from .conf import portal_settings
from .origins import origin_of

__all__ = ["client_address", "is_secure", "outside_atomic_requests", "own_origins", "states_own_origin"]


def own_origins(request: HttpRequest) -> set[str]:
    """Return the origins under which this server is the portal: BASE_URL's, and the request's if its Host is allowed."""
    found = set()
    if portal_settings.BASE_URL:
        found.add(origin_of(portal_settings.BASE_URL) or "")
    try:
        host = request.get_host()
    except DisallowedHost:
        return found
    scheme = request.scheme or "http"
    default_port = ":443" if scheme == "https" else ":80"
    found.add(f"{scheme}://{host.lower().removesuffix(default_port)}")
    return found


def states_own_origin(request: HttpRequest, *, also: tuple[str, ...] = ()) -> bool | None:
    """Say whether the browser states that the request comes from our own origin, or from one of ``also``.

    ``Origin`` decides where it was sent (``null`` is nobody's), else ``Sec-Fetch-Site``. None means that neither was
    sent: an old browser or no browser, and the caller needs another proof. A script cannot set either header.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin in also or origin in own_origins(request)
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return None


def outside_atomic_requests(view: Any) -> Any:
    """Return ``view``, taken out of a host's ATOMIC_REQUESTS on every database.

    Within it our reads before a write would be one transaction with it, which fails on SQLite when it turns into a writer
    (design section 2, tried), and a refused exchange would roll back its own audit event.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


def is_secure(request: HttpRequest) -> bool:
    """Say whether users reach the portal by https: this request did, or BASE_URL says so."""
    return request.is_secure() or (portal_settings.BASE_URL or "").startswith("https://")


def client_address(request: HttpRequest) -> str | None:
    """Return the client's IP address, or None when it is not one.

    With TRUSTED_PROXIES = n the n-th address from the right of X-Forwarded-For counts: what stands further left was
    written by the client, which can write anything.
    """
    address = request.META.get("REMOTE_ADDR", "")
    hops = portal_settings.TRUSTED_PROXIES
    if hops:
        chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(chain) >= hops:
            address = chain[-hops]
    return _normal_address(address)


# Some proxies write the client's port too (RFC 7239 section 6), which is another for each connection.
_WITH_PORT = re.compile(r"\[(?P<v6>[^]]*)\](?::\d*)?|(?P<v4>[\d.]+):\d*", re.ASCII)


# Most requests come from few proxies or backends.
@lru_cache(maxsize=1024)
def _normal_address(address: str) -> str | None:
    if with_port := _WITH_PORT.fullmatch(address):
        address = with_port["v6"] or with_port["v4"] or ""
    try:
        # Without the zone of a link-local address, which no database takes.
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # One client is one address, however the server listens.
    return str(getattr(found, "ipv4_mapped", None) or found)
