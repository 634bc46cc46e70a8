"""Filling in the admin's forms as a browser does: what the page shows goes back, with what the operator changed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client


class _Fields(HTMLParser):
    """Collects the successful controls of the forms that send themselves by POST, the one to log out apart."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._inside = False
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        name, kind = given.get("name"), given.get("type", "text")
        if tag == "form":
            self._inside = given.get("method") == "post" and given.get("id") != "logout-form"
        elif not self._inside or not name:
            return
        elif tag == "textarea":
            self._textarea = name
            self.values[name] = [""]
        elif tag == "input" and kind in {"checkbox", "radio"}:
            if "checked" in given:
                self.values.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "input" and kind not in {"submit", "file"}:
            self.values.setdefault(name, []).append(given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._textarea:
            # The line break after <textarea> belongs to the markup.
            text = data.removeprefix("\r\n").removeprefix("\n")
            self.values[self._textarea] = ["\r\n".join(text.splitlines())]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._textarea = None


def shown(response: Any) -> dict[str, list[str]]:
    """Return what the page's form would send if nothing were touched."""
    assert response.status_code == 200, response
    parser = _Fields()
    parser.feed(response.content.decode())
    return parser.values


def submit(client: Client, url: str, form: dict[str, list[str]] | None = None, **changes: Any) -> Any:
    """Send a form; None unticks a checkbox.

    :param form: what the page showed, if it was opened earlier; it is opened now by default.
    """
    values: dict[str, Any] = dict(shown(client.get(url)) if form is None else form)
    values |= changes
    return client.post(url, {name: value for name, value in values.items() if value is not None})
