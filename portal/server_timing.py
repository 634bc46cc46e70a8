"""Where the time of a request goes, shown by a browser's developer tools, while you develop.

A middleware and no hook in the views: it covers the host's own views too, and it is not there at all without DEBUG, so that
no request pays for asking. How long an answer took must not reach a stranger: it would tell what was found and what was not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

__all__ = ["ServerTimingMiddleware"]


class ServerTimingMiddleware:
    """Adds ``Server-Timing`` (W3C Server Timing) to every answer: the database's part and the whole, in milliseconds.

    Put it first, so that it sees what the others do. Statements on all databases count; COMMIT does not, which Django sends
    past its cursors.

    :raises MiddlewareNotUsed: DEBUG is off; Django then leaves it out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and say how long it took."""
        statements: list[float] = []

        def timed(execute: Callable[..., Any], *arguments: Any) -> Any:
            began = perf_counter()
            try:
                return execute(*arguments)
            finally:
                statements.append(perf_counter() - began)

        began = perf_counter()
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(timed))
            response = self.get_response(request)
        total = perf_counter() - began
        queries = "1 query" if len(statements) == 1 else f"{len(statements)} queries"
        ours = f'db;dur={sum(statements) * 1000:.1f};desc="{queries}", total;dur={total * 1000:.1f}'
        theirs = response.get("Server-Timing")
        response["Server-Timing"] = f"{theirs}, {ours}" if theirs else ours
        return response
