"""The forms about keys, as a browser fills them in."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any, NoReturn

import pytest
from django.test import Client

from portal.errors import Forbidden, InvalidInput
from portal.keystore import get_key_store
from portal.keystore.base import Key, KeyQuery, Owner
from portal.keystore.memory import MemoryKeyStore
from portal.models import PortalConfig
from tests.factories import ALL, sign_in
from tests.pages.shelf import empty_memory_store

USER = "user_123"


class WithoutGrace(MemoryKeyStore):
    supports_grace = False


class WithoutPermissions(MemoryKeyStore):
    supports_permissions = False


class Puzzled(MemoryKeyStore):
    """It refuses with what no page expects of it."""

    def create_key(self, *args: Any, **options: Any) -> NoReturn:
        raise InvalidInput


class Strict(MemoryKeyStore):
    """It has rules of its own about who may make keys."""

    def create_key(self, *args: Any, **options: Any) -> NoReturn:
        raise Forbidden("Only on a paid plan.")


class Secretive(MemoryKeyStore):
    """It does not even say which keys there are."""

    def list_keys(self, *args: Any, **options: Any) -> NoReturn:
        raise Forbidden("Not for you.")


class ReadOnly(MemoryKeyStore):
    supports_create = supports_update = supports_reroll = supports_revoke = False


@pytest.fixture(params=["memory", "database"])
def each_store(request: pytest.FixtureRequest, settings: Any) -> None:
    """Run the test on a new store in memory, and on the database's."""
    if request.param == "memory":
        empty_memory_store(settings)


@pytest.fixture
def signed_in(client: Client, config: PortalConfig) -> None:
    """Let the browser hold a session that may do everything."""
    client.cookies["portal_session"] = sign_in(config).secret


@pytest.fixture
def inside(client: Client, config: PortalConfig) -> Callable[..., Client]:
    """Return a function that makes the browser's session one with these permissions; now it may do everything."""

    def go(granted: list[str] = ALL, **options: Any) -> Client:
        client.cookies["portal_session"] = sign_in(config, granted=granted, **options).secret
        return client

    go()
    return go


@pytest.fixture
def no_key_limit(config: PortalConfig) -> None:
    """Let a user have any number of keys."""
    config.key_limit = None
    config.save()


def use_store(settings: Any, store: type) -> None:
    """Serve keys from a new store of this class."""
    # Whichever was served last: the same setting would keep the same store, and its keys with it.
    empty_memory_store(settings)
    get_key_store()
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": f"{store.__module__}.{store.__qualname__}"}}


def stored(config: PortalConfig, external_id: str = USER) -> list[Key]:
    """Return the keys of a user, past every permission."""
    return list(get_key_store().list_keys(Owner(config, external_id), KeyQuery()).keys)


def texts(answer: Any) -> str:
    """Return the page with its characters as they are meant."""
    return unescape(answer.content.decode())


class _Forms(HTMLParser):
    """Collects the forms within main, each with what it would send untouched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.buttons: list[int] = []
        self._in_main = self._in_form = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "main":
            self._in_main = True
        elif tag == "form" and self._in_main:
            self._in_form = True
            self.forms.append({})
            self.buttons.append(0)
        elif tag == "button" and self._in_form:
            self.buttons[-1] += 1
        elif tag == "input" and self._in_form and given.get("name"):
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                return
            value = given.get("value") or ("on" if given.get("type") == "checkbox" else "")
            self.forms[-1].setdefault(given["name"], []).append(value)

    def handle_endtag(self, tag: str) -> None:
        self._in_main = self._in_main and tag != "main"
        self._in_form = self._in_form and tag != "form"


def form_of(answer: Any) -> dict[str, Any]:
    """Return what the page's form would send if nothing were touched."""
    (form,) = _Forms(answer.content.decode()).forms
    return form


def buttons_of(answer: Any) -> int:
    """Return how many buttons the page's form has."""
    (number,) = _Forms(answer.content.decode()).buttons
    return number


def send(client: Client, path: str, form: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Send the form of a page with some values changed; None takes one out.

    :param form: what an earlier answer held; by default the page is opened now.
    """
    filled = dict(form_of(client.get(path)) if form is None else form)
    for name, value in changes.items():
        filled.pop(name, None)
        if value is not None:
            filled[name] = value
    return client.post(path, filled)
