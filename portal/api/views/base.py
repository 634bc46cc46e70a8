"""What every operation shares: the order of checks, the envelope, the request id and the log line."""

from __future__ import annotations

import logging
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from portal import request_id
from portal.api.cors import add_cors_headers, add_preflight_headers, is_preflight
from portal.api.exceptions import respond, to_portal_error
from portal.api.parsers import check_size, read_object
from portal.api.renderers import encode
from portal.api.serializers.base import MAX_FINDINGS, EmptySerializer, StrictSerializer, findings
from portal.errors import InvalidInput, MethodNotAllowed, UnknownOperation
from portal.http import client_address, outside_atomic_requests

__all__ = ["Operation", "UnknownOperationView"]

logger = logging.getLogger("portal.api")

# Nothing is negotiated. REST framework's Request would make the one that the host's settings name.
_NEGOTIATION = DefaultContentNegotiation()


class Operation(APIView):
    """One ``POST /v2/portal.<name>``.

    :meth:`dispatch` checks in this order (design decision 1): size, method, authentication, body; then :meth:`handle`
    authorises first. Of REST framework there are the authentication classes, the serializers and the Request that
    :meth:`handle` gets. The host's REST_FRAMEWORK setting does not reach these views: there is one parser and one renderer,
    whatever Accept says, since a client that cannot read JSON cannot read a refusal in it either.
    """

    #: The operation's name, for the log and for texts.
    name: ClassVar[str]
    serializer_class: ClassVar[type[StrictSerializer]] = EmptySerializer

    #: Whether pages on other origins may call the operation (design decision 9).
    cors: ClassVar[bool] = True

    http_method_names = ["post", "options"]
    authentication_classes = []
    permission_classes = []

    #: The session or root key of who asks, from when it is known.
    caller: Any = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside a host's ATOMIC_REQUESTS.

        Within it, our reads before a write would be one transaction on SQLite, which then fails when it turns into a
        writer (design section 2, tried).
        """
        return outside_atomic_requests(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a request; any exception is answered in the envelope, and only the log learns what went wrong inside."""
        current = request_id.ensure(request)
        try:
            check_size(request.META)
            self.check_route(request)
            asked = Request(request, authenticators=self.get_authenticators(), negotiator=_NEGOTIATION)
            response = self.options(asked) if request.method == "OPTIONS" else self.post(asked)
        except Exception as exception:
            error = to_portal_error(exception)
            logger.debug("%s refused: %s", self.name, error.code)
            response = respond(error, request)
        self._add_headers(response, request)
        self._log(request, response.status_code, current)
        return response

    def check_route(self, request: HttpRequest) -> None:
        """Refuse every method but POST, and preflights where other origins may call.

        :raises MethodNotAllowed: with ``Allow: POST``.
        """
        if request.method != "POST" and not self._is_preflight(request):
            raise MethodNotAllowed(headers={"Allow": "POST"})

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Answer a preflight, which never has a credential; the headers are added where all are."""
        response = HttpResponse(status=204)
        del response["Content-Type"]
        return response

    # A body and an answer may hold a secret; neither belongs in a report about a fault.
    @sensitive_variables("body", "values", "answer")
    def post(self, request: Request) -> HttpResponse:
        """Authenticate, validate the body, run the operation and wrap its answer."""
        if self.authentication_classes:
            self.caller = request.auth
        body = read_object(request._request)
        try:
            values = _shared(self.serializer_for(body)).run_validation(body)
        except ValidationError as error:
            raise InvalidInput(
                f"POST request body for '/v2/{self.name}' failed to validate schema",
                errors=list(islice(findings(error.detail), MAX_FINDINGS)),
            ) from None
        answer = self.handle(request, values)
        # Not DRF's Response, which is a template's: there is one renderer, and nothing to choose later.
        return HttpResponse(encode({"meta": {"requestId": request_id.current()}, **answer}), "application/json")

    def serializer_for(self, body: dict[str, Any]) -> type[StrictSerializer]:
        """Return what validates ``body``; a hook for operations that speak two dialects."""
        return self.serializer_class

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Do the operation's work and return the members beside ``meta``, ``data`` above all."""
        raise NotImplementedError

    def _log(self, request: HttpRequest, status: int, current: str) -> None:
        # Refusals are in the log and not in the audit trail, so the line says who was refused (security requirement 45).
        if logger.isEnabledFor(logging.INFO):
            address = client_address(request)
            caller, portal_id = (getattr(self.caller, name, None) for name in ("id", "portal_id"))
            known = {"caller": caller, "portal_id": portal_id, "address": address}
            logger.info(
                "%s %d %s %s %s",
                *(self.name, status, current, caller or "-", address or "-"),
                extra={"request_id": current, "operation": self.name, "status": status, **known},
            )

    def _add_headers(self, response: HttpResponse, request: HttpRequest) -> None:
        """Add the headers that every answer carries."""
        # Answers are about one caller and some hold secrets: no cache keeps any (security requirement 31).
        response["Cache-Control"] = "no-store, private"
        response["Pragma"] = "no-cache"
        response["X-Content-Type-Options"] = "nosniff"
        response[request_id.HEADER] = request_id.current()
        if self._is_preflight(request):
            add_preflight_headers(response, request)
        elif self.cors:
            add_cors_headers(response, request, self.caller)
        # Faults are logged already. Django would log them again with the request, whose cookies and address hold secrets,
        # and mail that to ADMINS.
        response._has_been_logged = response.status_code >= 500  # type: ignore[attr-defined]

    def _is_preflight(self, request: HttpRequest) -> bool:
        return self.cors and is_preflight(request)


@lru_cache(maxsize=64)
def _shared(serializer_class: type[StrictSerializer]) -> StrictSerializer:
    # One for all requests: making one copies each of its fields, and validating a body changes nothing in it.
    return serializer_class()


class UnknownOperationView(Operation):
    """Answers every path below ``v2/portal.`` and ``v2/keys.`` that is no operation."""

    name = "unknown"

    def check_route(self, request: HttpRequest) -> None:
        """Refuse whatever the method.

        :raises UnknownOperation: always.
        """
        raise UnknownOperation
