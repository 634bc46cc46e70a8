"""The id of the request being served, for answers, headers and log lines.

It is made here and never taken from the request: a caller that chooses the id could forge another request's log lines.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest

from . import tokens

__all__ = ["HEADER", "RequestIdFilter", "current", "ensure", "forget"]

HEADER = "X-Request-Id"
_LENGTH = 16
_NONE = "-"

_current: ContextVar[str] = ContextVar("portal_request_id", default=_NONE)


def ensure(request: HttpRequest) -> str:
    """Return the id of ``request`` (``req_`` and 16 base62 characters), made at the first call for it."""
    request_id: str | None = getattr(request, "portal_request_id", None)
    if request_id is None:
        request_id = "req_" + tokens.drawn(_LENGTH)
        request.portal_request_id = request_id  # type: ignore[attr-defined]
    _current.set(request_id)
    return request_id


def current() -> str:
    """Return the id of the request that this thread or task serves, or ``-`` outside one."""
    return _current.get()


def forget(**signal: Any) -> None:
    """Forget the id of the request before; a receiver of ``request_started``.

    A server's thread serves one request after another, and a host's own lines must not carry an earlier request's id.
    """
    _current.set(_NONE)


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to every record, so that a formatter can print ``%(request_id)s``."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set ``record.request_id`` unless the record brought one; keep every record."""
        if not hasattr(record, "request_id"):
            record.request_id = current()
        return True
