"""One HTTP answer, and what every answer must look like whatever went wrong (security C2, E)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The status of an answer that did not arrive.
LOST = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``secret`` is the code or token that it handed out; ``seconds`` how long it took."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    secret: str = ""
    seconds: float = 0

    @property
    def error(self) -> str:
        """The last segment of the error's type, empty for a success or a page."""
        if not self.headers.get("Content-Type", "").endswith("json"):
            return ""
        return str(json.loads(self.text).get("error", {}).get("type", "")).rpartition("/")[2]

    @property
    def data(self) -> Any:
        """The member ``data`` of the API's answer."""
        return json.loads(self.text)["data"]


def assert_envelope(answer: Answer) -> None:
    """Assert that the API answered in its envelope: never a page of the server, never a traceback."""
    content_type = "application/problem+json" if answer.status == 429 else "application/json"
    assert answer.headers["Content-Type"] == content_type, answer
    body = json.loads(answer.text)
    assert body["meta"]["requestId"] == answer.headers["X-Request-Id"]
    assert (answer.status == 200) == ("error" not in body)
    if "error" in body:
        assert body["error"]["status"] == answer.status
    assert_sober(answer)


def assert_page(answer: Answer) -> None:
    """Assert that a page of the portal answered, or its redirect."""
    assert answer.headers["Cache-Control"].startswith("no-store"), answer
    assert "Content-Security-Policy" in answer.headers
    if answer.status == 303:
        assert answer.text == ""
    else:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert '<main id="main"' in answer.text
        assert answer.text.rstrip().endswith("</html>")
    assert_sober(answer)


def assert_sober(answer: Answer) -> None:
    """Assert that no fault of ours shows, and that an outage says when to come back."""
    assert "Traceback" not in answer.text
    assert answer.status != 500, answer
    if answer.status == 503:
        assert int(answer.headers["Retry-After"]) > 0
