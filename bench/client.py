"""Requests to Django's WSGI handler, past any server and socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from django.test.utils import override_settings
from django.urls import URLPattern, URLResolver

from .settings import PORTAL

__all__ = ["Client", "Sent", "project"]


def project(
    urlpatterns: Iterable[URLPattern | URLResolver], middleware: Iterable[str] = (), *, cached: bool = False
) -> dict[str, Any]:
    """Return the settings of a project of these addresses only.

    :param cached: whether the portal remembers credentials; otherwise it asks the database each time, as shipped.
    """
    portal = {**PORTAL, "SESSION_CACHE_SECONDS": 3600 if cached else 0}
    return {"ROOT_URLCONF": tuple(urlpatterns), "MIDDLEWARE": list(middleware), "PORTAL": portal}


@dataclass(frozen=True)
class Sent:
    """What a client sends.

    :param bodies: gives the next request's body, for requests that cannot be sent twice; None for a GET.
    """

    path: str = "/measured/"
    headers: Mapping[str, str] = field(default_factory=dict)
    bodies: Callable[[], bytes] | None = None
    content_type: str = "application/json"


class Client:
    """Sends one kind of request to a project, as :func:`project` returns it."""

    #: Whose settings hold now: they change between chunks of calls, not between calls.
    served: ClassVar[Client | None] = None

    def __init__(self, served: Mapping[str, Any], sent: Sent) -> None:
        self.settings, self.sent = served, sent
        with override_settings(**served):
            self.handler = WSGIHandler()
        request = RequestFactory(headers=dict(sent.headers))
        made = (
            request.get(sent.path) if sent.bodies is None else request.post(sent.path, content_type=sent.content_type)
        )
        self.environ = made.environ

    def __call__(self) -> None:
        """Send the request and read the answer, as a server would.

        :raises AssertionError: it was refused.
        """
        if Client.served is not self:
            for name, value in self.settings.items():
                setattr(settings, name, value)
            Client.served = self
        body = b"" if self.sent.bodies is None else self.sent.bodies()
        environ = {**self.environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        response: Any = self.handler(environ, _start_response)
        content = b"".join(response)
        response.close()
        assert response.status_code < 400, (self.sent.path, response.status_code, content[:300])


def _start_response(status: str, headers: list[tuple[str, str]]) -> None:
    """Ignore the status line, as nobody is there to read it."""
