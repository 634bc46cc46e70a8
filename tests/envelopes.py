"""Assertions on the contract's envelopes (wire contract section 1)."""

from __future__ import annotations

import re
from typing import Any

CONTRACT = "https://unkey.com/docs/errors/"
OURS = "https://portal.example.com/errors/"


def assert_answer(response: Any) -> dict[str, Any]:
    """Assert a success with exactly its members, and return it."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) <= {"meta", "data", "pagination"}
    assert set(body["meta"]) == {"requestId"}
    assert re.fullmatch(r"req_[A-Za-z0-9]{16}", body["meta"]["requestId"])
    assert response["X-Request-Id"] == body["meta"]["requestId"]
    assert response["Cache-Control"] == "no-store, private"
    assert response["Pragma"] == "no-cache"
    return body


def assert_refused(response: Any, status: int, code: str, detail: str | None = None) -> list[dict[str, str]]:
    """Assert a refusal with exactly the contract's members, and return its findings."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == ("application/problem+json" if status == 429 else "application/json")
    assert response["Cache-Control"] == "no-store, private"
    body = response.json()
    assert set(body) == {"meta", "error"}
    assert response["X-Request-Id"] == body["meta"]["requestId"]
    error = body["error"]
    assert set(error) == {"detail", "status", "title", "type"} | ({"errors"} if status in {400, 413} else set())
    assert error["status"] == status
    assert type(error["status"]) is int
    base = OURS if code.startswith("portal/") else CONTRACT
    assert error["type"] == base + code
    if detail is not None:
        assert error["detail"] == detail
    if status == 401:
        assert response["WWW-Authenticate"].startswith('Bearer realm="portal"')
    for finding in error.get("errors", []):
        assert {"location", "message"} <= set(finding) <= {"location", "message", "fix"}
        assert all(isinstance(value, str) and value for value in finding.values())
    return error.get("errors", [])
