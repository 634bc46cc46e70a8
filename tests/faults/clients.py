"""Clients of a host, over real connections: a backend or API client, and a browser without its window."""

from __future__ import annotations

import itertools
import json
import re
import time
from contextlib import closing
from html import unescape
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.faults.answers import LOST, Answer, assert_envelope, assert_page
from tests.faults.record import Record

SLUG = "my-portal"
SESSION_COOKIE = "portal_session"

#: Seconds after which a call counts as hanging. More than SQLite's own patience with a lock.
PATIENCE = 30

_numbers = itertools.count()


class Client:
    """Sends requests to a port and records the answers. One connection a request, so it may be used by many threads.

    :param may_lose: whether an answer may get lost; otherwise that is a failure of the test.
    :param address: of the loopback network, from which the client calls.
    :param forwarded_for: what a proxy says of the client's address.
    """

    def __init__(
        self,
        port: int,
        record: Record,
        root_key: str = "",
        *,
        may_lose: bool = False,
        address: str = "127.0.0.1",
        forwarded_for: str = "",
    ) -> None:
        self._port = port
        self._record = record
        self._root_key = root_key
        self._may_lose = may_lose
        self._address = address
        self._always = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}

    def mint(self, external_id: str = "user_123") -> Answer:
        """Ask for a session; the answer's secret is the code."""
        body = {"slug": SLUG, "externalId": external_id, "permissions": ["keys:read"]}
        return self.call("createSession", body, self._root_key)

    def exchange(self, code: str) -> Answer:
        """Exchange ``code``; the answer's secret is the token."""
        start = time.monotonic()
        answer = self.call("exchangeSession", {"sessionId": code})
        # Each call is a caller of its own: the JSON exchange knows no browser.
        self._record.note_exchange(code, f"call {next(_numbers)}", start, time.monotonic(), answer)
        return answer

    def session(self, token: str) -> Answer:
        return self.call("getSession", {}, token)

    def list_keys(self, token: str) -> Answer:
        return self.call("listKeys", {}, token)

    def end(self, token: str) -> Answer:
        return self.call("endSession", {}, token)

    def verify(self, key: str, root_key: str) -> str:
        """Return what ``keys.verifyKey`` says of an API key."""
        self._record.keep_secret(key, root_key)
        answer = self.call("verifyKey", {"key": key}, root_key, about="keys")
        assert answer.status == 200, answer
        return str(answer.data["code"])

    def call(
        self, operation: str, body: dict[str, Any], bearer: str = "", *, request_id: str = "", about: str = "portal"
    ) -> Answer:
        headers = {"Content-Type": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if request_id:
            headers["Idempotency-Key"] = request_id
        answer = self._send("POST", f"/v2/{about}.{operation}", json.dumps(body), headers)
        if answer.status != LOST:
            assert_envelope(answer)
        if answer.status == 200:
            data = answer.data
            if isinstance(data, dict):
                answer = with_secret(answer, data.get("token") or data.get("sessionId") or data.get("key") or "")
        self._record.note(operation, answer)
        return answer

    def _send(self, method: str, path: str, body: str, headers: dict[str, str]) -> Answer:
        source = (self._address, 0)
        start = time.monotonic()
        with closing(HTTPConnection("127.0.0.1", self._port, PATIENCE, source)) as connection:
            try:
                connection.request(method, path, body, {**headers, **self._always})
                response = connection.getresponse()
                text = response.read().decode()
            except (OSError, HTTPException):
                if not self._may_lose:
                    raise
                return Answer(LOST, seconds=time.monotonic() - start)
            return Answer(response.status, response.headers, text, seconds=time.monotonic() - start)


class Browser(Client):
    """A client with cookies, who opens a link and presses the button on the page."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cookies: dict[str, str] = {}
        self.code = ""
        self._form: dict[str, str] = {}
        self._name = f"browser {next(_numbers)}"

    def get(self, path: str) -> Answer:
        return self._page("GET", path)

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        return self._page("POST", path, urlencode(fields))

    def open(self, code: str) -> Answer:
        """Open the link of ``code``; if the landing page comes, its form is kept."""
        self.code = code
        self._record.keep_secret(code)
        answer = self.get(f"/{SLUG}/?{urlencode({'session': code})}")
        if answer.status == 200:
            self._form = {name: field_of(answer.text, name) for name in ("code", "form_token", "instead_of")}
        return answer

    def press(self) -> Answer:
        """Send the form that the last landing page held, as it stood there; the answer's secret is the cookie's token."""
        start = time.monotonic()
        answer = self.post(f"/{SLUG}/enter/", self._form)
        self._record.note_exchange(self._form["code"], self._name, start, time.monotonic(), answer)
        return answer

    def _headers(self, body: str) -> dict[str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in list(self.cookies.items()))
        return headers

    def point_at(self, port: int) -> None:
        """Go on with another port: the same site by another way."""
        self._port = port

    def _page(self, method: str, path: str, body: str = "") -> Answer:
        answer = self._send(method, path, body, self._headers(body))
        if answer.status != LOST:
            assert_page(answer)
            jar = cookies_of(answer)
            answer = with_secret(answer, jar.get(SESSION_COOKIE, ""))
            self.cookies |= jar
        self._record.note(f"{method} {path.partition('?')[0]}", answer)
        return answer


def field_of(html: str, name: str) -> str:
    """Return the value of a form's hidden field."""
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', html)
    assert found, f"no field {name} in {html}"
    return unescape(found[1])


def cookies_of(answer: Answer) -> dict[str, str]:
    """Return the cookies that the answer sets."""
    jar = SimpleCookie()
    for line in answer.headers.get_all("Set-Cookie", []):  # type: ignore[attr-defined]
        jar.load(line)
    return {name: morsel.value for name, morsel in jar.items()}


def with_secret(answer: Answer, secret: str) -> Answer:
    """Return ``answer`` as one that handed out ``secret``."""
    return Answer(answer.status, answer.headers, answer.text, secret, answer.seconds)
