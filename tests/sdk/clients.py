"""Unkey's published clients, and how each generation says the same thing (wire contract section 0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Dialect:
    """The words of createSession and of the exchange (wire contract sections 2 and 3)."""

    name: str
    grants: str
    exchange: str
    code: str
    token: str
    #: The parameter of the portal's address that holds the code.
    parameter: str
    #: What an unknown portal is answered with.
    unknown: tuple[str, str]


OLDER = Dialect(
    name="slug",
    grants="permissions",
    exchange="exchangeSession",
    code="sessionId",
    token="token",
    parameter="session",
    unknown=("unkey/data/portal_config_not_found", "Portal configuration not found."),
)
NEWER = Dialect(
    name="portal",
    grants="scopes",
    exchange="exchangeCode",
    code="code",
    token="accessToken",
    parameter="code",
    unknown=("unkey/data/portal_not_found", "Portal not found."),
)

TUPLES = ["api.*.read_key", "api.*.read_analytics"]
CAPABILITIES = ["keys:read", "analytics:read"]


@dataclass(frozen=True)
class Client:
    """One release of a client.

    ``grants`` is what it asks for where a test does not say, always what ``CAPABILITIES`` holds. ``preview`` says that its
    createSession has that member; ``checks_grants`` that it refuses unknown grants itself and sends nothing; ``unsendable``
    are operations that it has and cannot send to any server.
    """

    name: str
    version: str
    dialect: Dialect
    operations: tuple[str, ...]
    grants: tuple[str, ...]
    preview: bool = True
    checks_grants: bool = True
    unsendable: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"

    def mint(self, **changes: Any) -> dict[str, Any]:
        """Return a body of createSession; ``name``, ``grants`` and the contract's other members change it."""
        words = {"name": self.dialect.name, "grants": self.dialect.grants}
        body = {"name": "my-portal", "externalId": "user_123", "grants": list(self.grants), **changes}
        return {words.get(member, member): value for member, value in body.items()}


#: What is asked with the portal's cookie.
KEYS = ("listKeys", "rerollKey", "getVerifications")
MANAGEMENT = ("createPortal", "getPortal", "updatePortal", "deletePortal", "listSessions", "revokeSession")
FIRST, LATER = ("createSession", "exchangeSession"), ("createSession", "exchangeCode")
JS, PY = "@unkey/api", "unkey-py"

CLIENTS = [
    Client(JS, "2.3.5", OLDER, FIRST, tuple(TUPLES), checks_grants=False),
    Client(JS, "2.4.0", OLDER, FIRST, tuple(TUPLES), checks_grants=False),
    Client(JS, "2.5.0", OLDER, (*FIRST, *KEYS), tuple(CAPABILITIES)),
    Client(JS, "2.5.1", NEWER, (*LATER, *KEYS), tuple(CAPABILITIES)),
    Client(PY, "3.0.3", OLDER, FIRST, tuple(TUPLES), checks_grants=False),
    Client(PY, "3.2.2", NEWER, (*LATER, *MANAGEMENT), tuple(CAPABILITIES), preview=False, unsendable=KEYS),
]


def clients(*conditions: Callable[[Client], bool]) -> pytest.MarkDecorator:
    """Run a test with every client that meets ``conditions``, which it takes as ``sdk``."""
    chosen = [client for client in CLIENTS if all(condition(client) for condition in conditions)]
    return pytest.mark.parametrize("sdk", chosen, ids=str, indirect=True)


def older(client: Client) -> bool:
    return client.dialect is OLDER


def newer(client: Client) -> bool:
    return client.dialect is NEWER


def with_keys(client: Client) -> bool:
    return "listKeys" in client.operations


def with_management(client: Client) -> bool:
    return "createPortal" in client.operations
