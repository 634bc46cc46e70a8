"""What every operation shares: the order of checks, the envelope, the request id and the log line."""

from __future__ import annotations

import logging
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from portal import request_id
from portal.api.cors import add_cors_headers, add_preflight_headers, is_preflight
from portal.api.exceptions import respond, to_portal_error
from portal.api.negotiation import JSONOnly
from portal.api.parsers import StrictJSONParser, check_size
from portal.api.serializers.base import MAX_FINDINGS, EmptySerializer, StrictSerializer, findings
from portal.errors import InvalidInput, MethodNotAllowed, UnknownOperation
from portal.http import outside_atomic_requests

__all__ = ["Operation", "UnknownOperationView"]

logger = logging.getLogger("portal.api")

#: Writes JSON as DRF's renderer does, but for two line separators that are escaped there for JavaScript of old.
_encode = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Operation(APIView):
    """One ``POST /v2/portal.<name>``.

    Checks run in this order (design decision 1): size, method, authentication, body, then :meth:`handle`, which authorises
    first. The host's REST_FRAMEWORK setting does not reach these views: renderer, parser, throttles, permissions and the
    exception handler are all named here.
    """

    #: The operation's name, for the log and for texts.
    name: ClassVar[str]
    serializer_class: ClassVar[type[StrictSerializer]] = EmptySerializer

    #: Whether pages on other origins may call the operation (design decision 9).
    cors: ClassVar[bool] = True

    http_method_names = ["post", "options"]
    authentication_classes = []
    permission_classes = []
    throttle_classes = []
    versioning_class = None
    content_negotiation_class = JSONOnly
    parser_classes: list[type[BaseParser]] = [StrictJSONParser]
    renderer_classes: list[type[BaseRenderer]] = [JSONRenderer]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside a host's ATOMIC_REQUESTS.

        Within it, our reads before a write would be one transaction on SQLite, which then fails when it turns into a
        writer (design section 2, tried).
        """
        return outside_atomic_requests(super().as_view(**initkwargs))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check size, route and method before DRF authenticates."""
        request_id.ensure(request._request)
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        check_size(request.META.get("CONTENT_LENGTH"))
        self.check_route(request)
        self.perform_authentication(request)

    def check_route(self, request: Request) -> None:
        """Refuse every method but POST, and preflights where other origins may call.

        :raises MethodNotAllowed: with ``Allow: POST``.
        """
        if request.method != "POST" and not self._is_preflight(request):
            raise MethodNotAllowed(headers={"Allow": "POST"})

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: ``Allow`` belongs to the 405, which brings it."""
        return {}

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, unless no credential is asked for: by the operation, or in a preflight, which never has one."""
        if self.authentication_classes and not self._is_preflight(request):
            super().perform_authentication(request)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Answer a preflight; the headers are added where all are."""
        return Response(status=204)

    # A body and an answer may hold a secret; neither belongs in a report about a fault.
    @sensitive_variables("body", "values", "answer")
    def post(self, request: Request) -> HttpResponse:
        """Validate the body, run the operation and wrap its answer."""
        body = cast(dict[str, Any], request.data)
        try:
            values = _shared(self.serializer_for(body)).run_validation(body)
        except ValidationError as error:
            raise InvalidInput(
                f"POST request body for '/v2/{self.name}' failed to validate schema",
                errors=list(islice(findings(error.detail), MAX_FINDINGS)),
            ) from None
        answer = self.handle(request, values)
        # Not DRF's Response, which is a template's: there is one renderer, and nothing to choose later.
        return HttpResponse(
            _encode({"meta": {"requestId": request_id.current()}, **answer}).encode(), content_type="application/json"
        )

    def serializer_for(self, body: dict[str, Any]) -> type[StrictSerializer]:
        """Return what validates ``body``; a hook for operations that speak two dialects."""
        return self.serializer_class

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Do the operation's work and return the members beside ``meta``, ``data`` above all."""
        raise NotImplementedError

    def handle_exception(self, exc: Exception) -> Response:
        """Answer any exception in the envelope; only the log learns what went wrong inside."""
        error = to_portal_error(exc)
        logger.debug("%s refused: %s", self.name, error.code)
        response = respond(error, self.request._request)
        response.exception = True
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers that every answer carries and write the log line."""
        response = super().finalize_response(request, response, *args, **kwargs)
        # Answers are about one caller and some hold secrets: no cache keeps any (security requirement 31).
        response["Cache-Control"] = "no-store, private"
        response["Pragma"] = "no-cache"
        response["X-Content-Type-Options"] = "nosniff"
        response[request_id.HEADER] = request_id.current()
        if self._is_preflight(request):
            add_preflight_headers(response, request._request)
        elif self.cors:
            # Not request.auth: asking for it would authenticate, and this may be the answer to having failed to.
            add_cors_headers(response, request._request, getattr(request, "_auth", None))
        # Faults are logged already. Django would log them again with the request, whose cookies and address hold secrets,
        # and mail that to ADMINS.
        response._has_been_logged = response.status_code >= 500
        logger.info(
            "%s %d %s",
            self.name,
            response.status_code,
            request_id.current(),
            extra={"request_id": request_id.current(), "operation": self.name, "status": response.status_code},
        )
        return response

    def _is_preflight(self, request: Request) -> bool:
        return self.cors and is_preflight(request._request)


@lru_cache(maxsize=64)
def _shared(serializer_class: type[StrictSerializer]) -> StrictSerializer:
    # One for all requests: making one copies each of its fields, and validating a body changes nothing in it.
    return serializer_class()


class UnknownOperationView(Operation):
    """Answers every path below ``v2/portal.`` and ``v2/keys.`` that is no operation."""

    name = "unknown"

    def check_route(self, request: Request) -> None:
        """Refuse whatever the method.

        :raises UnknownOperation: always.
        """
        raise UnknownOperation
