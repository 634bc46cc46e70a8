"""A browser without script: it opens pages, fills in forms, presses buttons and reads."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener


@dataclass
class Form:
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    #: The names, values and words of its buttons.
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class _Page(HTMLParser):
    """Collects what can be read, pressed and filled in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        #: Names of fields by their id, and ids by their label.
        self.fields: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self._inside: list[tuple[str, dict[str, str], int]] = []
        self._form: Form | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "input":
            self._input(values)
        if tag in {"input", "textarea", "select"}:
            self.fields[values.get("id", "")] = values.get("name", "")
        if tag in {"a", "button", "label", "textarea", "script", "style"}:
            self._inside.append((tag, values, len(self.words)))

    def _input(self, values: dict[str, str]) -> None:
        if self._form is None or "disabled" in values:
            return
        kind = values.get("type", "text")
        if kind == "submit":
            self._form.buttons.append((values.get("name", ""), values.get("value", ""), values.get("value", "")))
        elif kind not in {"checkbox", "radio"} or "checked" in values:
            self._form.values[values.get("name", "")] = values.get("value", "on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if self._inside and self._inside[-1][0] == tag:
            _, values, begin = self._inside.pop()
            words = " ".join(self.words[begin:])
            if tag == "a":
                self.links.append((values.get("href", ""), words))
            elif tag == "label":
                self.labels[words.rstrip(":")] = values.get("for", "")
            elif tag == "button" and self._form is not None:
                self._form.buttons.append((values.get("name", ""), values.get("value", ""), words))
            elif tag == "textarea" and self._form is not None:
                self._form.values[values.get("name", "")] = words

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self._inside and self._inside[-1][0] in {"script", "style"}):
            self.words.append(" ".join(data.split()))


class Visitor:
    """One browser profile. ``url``, ``html`` and ``text`` are those of the page that it shows."""

    def __init__(self) -> None:
        self.cookies = CookieJar()
        # No proxy: everything here is on this machine.
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))
        self.url = ""
        self.status = 0
        self.html = ""
        self._page = _Page("")
        self._filled: dict[str, str] = {}

    @property
    def text(self) -> str:
        return " ".join(self._page.words)

    def open(self, url: str, data: bytes | None = None, **headers: str) -> None:
        request = Request(url, data, {"Accept": "text/html", **headers})
        try:
            response: Any = self._opener.open(request, timeout=20)
        except HTTPError as error:
            response = error
        with closing(response):
            self.url, self.status = response.geturl(), response.status
            self.html = response.read().decode()
        self._page = _Page(self.html)
        self._filled = {}

    def fill_in(self, label: str, value: str) -> None:
        """Write ``value`` into the field of this label; it is sent with the next press."""
        assert label in self._page.labels, f"There is no field {label!r}, only {sorted(self._page.labels)}"
        self._filled[self._page.fields[self._page.labels[label]]] = value

    def press(self, label: str) -> None:
        """Press the button, or follow the link, of this name."""
        for form in self._page.forms:
            for name, value, words in form.buttons:
                if words == label:
                    self._submit(form, {name: value} if name else {})
                    return
        for href, words in self._page.links:
            if words == label:
                self.open(urljoin(self.url, href), Referer=self.url)
                return
        raise AssertionError(f"There is no button {label!r} on {self.url}: {self.text}")

    def _submit(self, form: Form, button: dict[str, str]) -> None:
        unknown = set(self._filled) - set(form.values)
        assert not unknown, f"The form has no field {unknown}"
        values = urlencode({**form.values, **self._filled, **button})
        target = urljoin(self.url, form.action or self.url)
        if form.method == "post":
            at = urlsplit(self.url)
            self.open(target, values.encode(), Origin=f"{at.scheme}://{at.netloc}", Referer=self.url)
        else:
            self.open(f"{target.partition('?')[0]}?{values}", Referer=self.url)

    def sign_in(self, username: str, password: str) -> None:
        """Sign in on Django's own form."""
        self.fill_in("Username", username)
        self.fill_in("Password", password)
        self.press("Log in")

    def sees(self, words: str) -> None:
        assert re.sub(r"\s+", " ", words) in self.text, f"{words!r} is not on {self.url} ({self.status}): {self.text}"
