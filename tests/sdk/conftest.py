"""Every client at a live server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.backends.signals import connection_created

from portal.models import Issued, PortalConfig, RootKey
from tests.factories import sign_in

from .clients import Client
from .drivers import Ask, command_of, driver
from .outcomes import Outcome, assert_sound


class Sdk:
    """One client, pointed at the live server."""

    def __init__(self, client: Client, ask: Ask, server_url: str) -> None:
        self.client = client
        self.dialect = client.dialect
        self.server_url = server_url
        self._ask = ask

    def __call__(
        self, operation: str, request: dict[str, Any], *, key: str | None = None, cookie: str | None = None
    ) -> Outcome:
        """Call ``operation`` with a root key, or with what the portal's cookie holds, or with neither."""
        given = {"operation": operation, "request": request, "rootKey": key, "cookie": cookie}
        outcome = self._outcome({name: value for name, value in given.items() if value is not None})
        for exchange in outcome.exchanges:
            assert_sound(exchange)
        assert len(outcome.exchanges) <= max(1, len(outcome.pages))
        return outcome

    def operations(self) -> list[str]:
        """Return the names of the operations that the client has."""
        names: list[str] = self._outcome({}).result
        return names

    def _outcome(self, question: dict[str, Any]) -> Outcome:
        return Outcome(**self._ask({"version": self.client.version, "serverURL": self.server_url, **question}))

    def mint(self, key: str | None, operation: str = "createSession", **changes: Any) -> Outcome:
        """Call createSession, with ``changes`` to a body that would do."""
        return self(operation, self.client.mint(**changes), key=key)

    def code_of(self, data: dict[str, Any]) -> str:
        """Return the code that the address in createSession's answer holds."""
        (code,) = parse_qs(urlsplit(data["url"]).query)[self.dialect.parameter]
        return code

    def exchange(self, code: str, suffix: str = "") -> Outcome:
        """Call exchangeSession or exchangeCode; no credential is needed."""
        return self(self.dialect.exchange + suffix, {self.dialect.code: code})


@pytest.fixture(scope="session")
def ask() -> Iterator[Callable[[Client], Ask]]:
    """Return ``ask(client)``; its process starts when the first test wants it and serves all tests after."""
    running: dict[tuple[str, ...], Ask] = {}
    with ExitStack() as stack:

        def start(client: Client) -> Ask:
            command = command_of(client)
            if command not in running:
                running[command] = stack.enter_context(driver(*command))
            return running[command]

        yield start


@pytest.fixture
def sdk(request: Any, ask: Callable[[Client], Ask], live_server: Any, settings: Any) -> Sdk:
    """Return the client that the test is parametrized with."""
    settings.PORTAL = {"BASE_URL": live_server.url}
    return Sdk(request.param, ask(request.param), live_server.url)


@pytest.fixture
def key(config: PortalConfig, root_key: Issued[RootKey]) -> str:
    """Return the root key of a backend that may mint for ``my-portal``."""
    return root_key.secret


@pytest.fixture
def token(config: PortalConfig) -> str:
    """Return what the portal's cookie holds, for a user who may do everything."""
    return sign_in(config).secret


@pytest.fixture
def database_fails() -> Callable[[Exception], Any]:
    """Return ``database_fails(error)``, a context in which every statement of the server fails with ``error``.

    The server connects anew for every request; the test's own connection is open already.
    """

    @contextmanager
    def failing(error: Exception) -> Iterator[None]:
        broken: list[Any] = []

        def fail(*args: Any) -> None:
            raise error

        def break_connection(connection: Any, **kwargs: Any) -> None:
            if connection not in broken:
                broken.append(connection)
                connection.execute_wrappers.append(fail)

        connection_created.connect(break_connection)
        try:
            yield
        finally:
            connection_created.disconnect(break_connection)
            # A client that keeps its connection to the server keeps the server's thread, and that its connection object.
            for connection in broken:
                connection.execute_wrappers.remove(fail)

    return failing
