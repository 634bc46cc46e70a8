"""What a client made of an answer, and what every answer must be."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

CONTRACT = "https://unkey.com/docs/errors/"
INVALID = "unkey/application/invalid_input"
REQUEST_ID = re.compile(r"req_[A-Za-z0-9]{16}")


@dataclass(frozen=True)
class Outcome:
    """What came of one call: ``result`` or ``pages`` as the client parsed them, or ``error`` with what it read.

    ``exchanges`` holds the HTTP that went over the wire; none where the client refused to send.
    """

    exchanges: list[dict[str, Any]]
    result: Any = None
    pages: list[Any] = field(default_factory=list)
    error: dict[str, Any] | None = None

    @property
    def data(self) -> Any:
        """The answer's ``data``; the client must know all that was sent, for it drops what it does not know."""
        assert self.error is None, self.error
        (exchange,) = self.exchanges
        sent = json.loads(exchange["body"])
        assert (self.result["meta"], self.result["data"]) == (sent["meta"], sent["data"])
        return self.result["data"]

    def assert_error(self, name: str, status: int, code: str, detail: str | None = None) -> list[str]:
        """Assert that the client raised its class ``name`` and read all of it; return the findings' locations."""
        error = self.error
        assert error is not None, self.result
        assert (error["name"], error["statusCode"]) == (name, status), error
        read = error["error"]
        assert read["status"] == status
        assert read["title"]
        assert read["type"].endswith(f"/errors/{code}")
        assert read["type"].startswith(CONTRACT) or code.startswith("portal/")
        assert detail in {None, read["detail"]}
        (exchange,) = self.exchanges
        assert error["meta"]["requestId"] == exchange["headers"]["x-request-id"]
        assert all(finding["message"] for finding in read.get("errors") or [])
        return [finding["location"] for finding in read.get("errors") or []]

    def assert_general_error(self, status: int, code: str) -> None:
        """Assert the class that the clients raise for what their operation does not declare, with status and body."""
        error = self.error
        assert error is not None, self.result
        assert (error["name"], error["statusCode"]) == ("APIError", status), error
        assert code in error["message"]

    def assert_refused_by_client(self, name: str) -> str:
        """Assert that the client raised ``name`` and sent nothing; return its words."""
        assert self.exchanges == []
        assert self.error is not None, self.result
        assert self.error["name"] == name, self.error
        message: str = self.error["message"]
        return message


def assert_sound(exchange: dict[str, Any]) -> None:
    """Assert of an answer what the clients stumble over (wire contract section 7), whatever the answer is."""
    status, headers = exchange["status"], exchange["headers"]
    assert not exchange["redirected"]
    assert status == 200 or 400 <= status < 600
    assert headers["content-type"] == ("application/problem+json" if status == 429 else "application/json")
    assert headers["cache-control"] == "no-store, private"
    assert "set-cookie" not in headers
    body = json.loads(exchange["body"], parse_float=refuse, parse_constant=refuse)
    assert_no_null(body)
    assert set(body["meta"]) == {"requestId"}
    assert REQUEST_ID.fullmatch(body["meta"]["requestId"])
    assert headers["x-request-id"] == body["meta"]["requestId"]
    if status == 200:
        # The rest are the two published shapes of getVerifications, in one answer.
        assert set(body) - {"meta", "data"} in (set(), {"pagination"}, {"bucketMillis", "keys"})
        return
    assert set(body) == {"meta", "error"}
    members = {"detail", "status", "title", "type"}
    assert set(body["error"]) == (members | {"errors"} if status in {400, 413} else members)
    assert body["error"]["status"] == status
    assert isinstance(body["error"].get("errors", []), list)


def refuse(number: str) -> None:
    """Refuse a number that is not whole: milliseconds are, and so is everything else that the contract counts."""
    raise AssertionError(f"{number} is no integer")


def assert_no_null(value: Any) -> None:
    """Assert that nothing within ``value`` is null: what is absent is left out."""
    assert value is not None
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        assert_no_null(inner)
