"""From an exception to the contract's error envelope (wire contract section 1)."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException

from portal import request_id
from portal.credentials import CHALLENGE
from portal.errors import PortalError, ServiceUnavailable, UnexpectedError
from portal.links import error_bases
from portal.outage import DATABASE_AWAY

from .renderers import encode

__all__ = ["EnvelopeException", "envelope", "respond", "to_portal_error"]

logger = logging.getLogger("portal.api")


def envelope(error: PortalError, request: HttpRequest) -> dict[str, Any]:
    """Return the body that answers ``error``: exactly the contract's members, none of them null."""
    entry = error.entry()
    body: dict[str, Any] = {
        "detail": error.detail,
        "status": int(entry.status),
        "title": entry.title,
        "type": entry.type_url(*error_bases()),
    }
    if entry.has_errors:
        body["errors"] = error.errors
    return {"meta": {"requestId": request_id.ensure(request)}, "error": body}


class EnvelopeException(APIException):
    """A refusal that DRF's own exception handler answers as our envelope, on a host's views too.

    An APIException and not AuthenticationFailed, whose 401 DRF turns into 403 when another class of the view has no
    challenge. The detail is set after construction, because the constructor would turn its numbers into text.
    """

    def __init__(self, error: PortalError, request: HttpRequest) -> None:
        super().__init__()
        self.error = error
        self.status_code = int(error.status)
        self.detail = envelope(error, request)
        if challenge := error.headers.get("WWW-Authenticate"):
            self.auth_header = challenge
        if seconds := error.headers.get("Retry-After"):
            # By this name DRF's handler sends Retry-After.
            self.wait = int(seconds)


def to_portal_error(exception: Exception) -> PortalError:
    """Return the refusal that answers ``exception``; faults are logged here, with their traceback."""
    if isinstance(exception, EnvelopeException):
        return exception.error
    if isinstance(exception, PortalError):
        return exception
    if isinstance(exception, DATABASE_AWAY):
        logger.error("The database refused: %s", type(exception).__name__, exc_info=exception)
        return ServiceUnavailable()
    logger.error("Unexpected error", exc_info=exception)
    return UnexpectedError()


def respond(error: PortalError, request: HttpRequest) -> HttpResponse:
    """Return the answer to ``error``. Every 401 carries a challenge (RFC 9110 section 15.5.2)."""
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", CHALLENGE)
    return HttpResponse(
        encode(envelope(error, request)),
        content_type=error.entry().content_type,
        status=int(error.status),
        headers=headers,
    )
