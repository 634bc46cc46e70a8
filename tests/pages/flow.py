"""Walking the pages as a browser does, without one."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client


def field(html: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', html)
    assert found, f"no field {name} in {html}"
    return unescape(found[1])


def heading(response: Any) -> str:
    """Return the one h1."""
    headings = re.findall(r"<h1[^>]*>\s*(.*?)\s*</h1>", response.content.decode(), re.DOTALL)
    assert len(headings) == 1, headings
    return unescape(re.sub(r"<[^>]+>", "", headings[0]))


def words(html: str) -> str:
    """Return the words, those for screen readers too; each tag is a space."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def open_link(client: Client, code: str, slug: str = "my-portal", **headers: str) -> Any:
    """Open the landing page of a code."""
    return client.get(f"/{slug}/", {"session": code}, headers=headers)


def press_continue(client: Client, landing: Any, slug: str = "my-portal", **headers: str) -> Any:
    """Send the landing page's form as it stands."""
    html = landing.content.decode()
    form = {name: field(html, name) for name in ("code", "form_token", "instead_of")}
    return client.post(f"/{slug}/enter/", form, headers=headers)


def enter(client: Client, code: str, slug: str = "my-portal") -> str:
    """Go in and return the access token in the cookie."""
    landing = open_link(client, code, slug)
    assert landing.status_code == 200, landing.content
    answer = press_continue(client, landing, slug)
    assert answer.status_code == 303, answer.content
    return answer.cookies["portal_session"].value
