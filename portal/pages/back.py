"""The way back to the host's product (design decision 16)."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest

from portal.models import PortalConfig
from portal.origins import OriginError, check_return_url

from .cookies import read_way_back

__all__ = ["back_link"]


def back_link(request: HttpRequest, config: PortalConfig, *, session_return_url: str = "", ended: bool = False) -> str:
    """Return where “Back to …” leads, or an empty string when there is nowhere it may lead.

    The session's own link, else the one that the browser kept from its last session here, else the portal's. Each is
    checked against the portal's list of today. Nothing in the query can set it.

    :param ended: the session has ended; the product is told so with ``reason=session_expired``.
    """
    kept = read_way_back(request)
    candidates = [session_return_url, kept.return_url if kept and kept.slug == config.slug else "", config.return_url]
    for url in candidates:
        if not url:
            continue
        try:
            check_return_url(url, config.return_origins)
        except OriginError:
            continue
        return _with_reason(url) if ended else url
    return ""


def _with_reason(url: str) -> str:
    parts = urlsplit(url)
    query = f"{parts.query}&reason=session_expired" if parts.query else "reason=session_expired"
    return urlunsplit(parts._replace(query=query))
