"""A page for every error code: what it means, what caused it, how to fix it.

The texts live here once. The app serves them as HTML below ``errors/``; ``python -m portal.error_docs FOLDER`` writes the
same as Markdown, which is what docs/reference/errors/ holds. Nothing here imports a framework.
"""

from __future__ import annotations

from collections.abc import Mapping

from portal.errors import CATALOGUE

from . import about_access, about_credentials, about_keys, about_portals, about_requests, about_the_server
from .doc import ErrorDoc

__all__ = ["DOCS", "ErrorDoc"]

_WRITTEN = {
    doc.entry.code: doc
    for doc in (
        *about_requests.DOCS,
        *about_credentials.DOCS,
        *about_access.DOCS,
        *about_portals.DOCS,
        *about_keys.DOCS,
        *about_the_server.DOCS,
    )
}

#: The page of every code, in the order of the HTTP status and, within one, of the catalogue.
DOCS: Mapping[str, ErrorDoc] = {
    code: _WRITTEN[code] for code in sorted(CATALOGUE, key=lambda code: CATALOGUE[code].status)
}
