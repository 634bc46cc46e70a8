"""A whole life of the portal over HTTP, after which no secret is found in the database, in its files or in any log line."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client

from portal import tokens
from portal.models import PortalEvent, RootKey
from tests.factories import PortalConfigFactory, issue_root_key

BODY = {"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key"]}


class Everything(logging.Handler):
    """Keeps each record as text: the line with its traceback, and apart from it the arguments and the extras."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.names: set[str] = set()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name)
        # The request is Django's own extra; its text holds the address, which the redacting filter blanks in a line.
        extras = {name: value for name, value in vars(record).items() if name != "request"}
        self.lines += [self.format(record), repr(record.args), repr(extras)]


@pytest.fixture
def everything() -> Iterator[Everything]:
    """Capture all loggers at DEBUG, the SQL with its parameters included."""
    handler = Everything()
    names = ["django", "django.server", "portal", *logging.root.manager.loggerDict]
    loggers = [logging.root, *{logger for name in names if (logger := logging.getLogger(name)) is not logging.root}]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    logging.root.addHandler(handler)
    connection.force_debug_cursor = True
    yield handler
    connection.force_debug_cursor = False
    logging.root.removeHandler(handler)
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


class Life:
    """Lives one portal's life and keeps every secret that it was given."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.browser = Client(raise_request_exception=False)
        self.backend = Client(raise_request_exception=False)
        self.root_key = self.keep(issue_root_key().secret)

    def keep(self, secret: str) -> str:
        assert re.fullmatch(r"([a-z]{3}_)?[0-9A-Za-z]{43}", secret)
        self.secrets.add(secret)
        return secret

    def found_in(self, text: str) -> list[str]:
        """Return the secrets of which ``text`` holds a telling part."""
        return [secret for secret in self.secrets if secret[-43:][:12] in text or secret[-12:] in text]

    def api(self, operation: str, body: Any, token: str | None = None, status: int = 200) -> dict[str, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        path = f"/v2/portal.{operation}"
        answer = self.backend.post(path, body, content_type="application/json", headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json().get("data", {})

    def mint(self, **members: Any) -> str:
        return self.keep(self.api("createSession", BODY | members, self.root_key)["sessionId"])

    def exchange(self, code: str) -> str:
        return self.keep(self.api("exchangeSession", {"sessionId": code})["token"])

    def land(self, code: str, status: int = 200) -> dict[str, str]:
        """Open the landing page and return its form."""
        page = self.browser.get(
            "/my-portal/", {"session": code}, headers={"Referer": f"https://a.example/?code={code}"}
        )
        assert page.status_code == status, page.content
        if cookie := page.cookies.get("__Host-portal_nonce"):
            self.keep(cookie.value)
        return {
            name: html.unescape(value)
            for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
        }

    def enter(self, form: dict[str, str], status: int = 303) -> None:
        answer = self.browser.post("/my-portal/enter/", form)
        assert answer.status_code == status, answer.content
        if status == 303:
            self.keep(answer.cookies["portal_session"].value)

    def sign_out(self) -> None:
        page = self.browser.get("/my-portal/session/")
        assert page.status_code == 200
        form_token = re.search(r'name="form_token" value="(\w+)"', page.content.decode())[1]
        assert self.browser.post("/my-portal/session/end/", {"form_token": form_token}).status_code == 303


def live(life: Life) -> None:
    """Sign in and out in every way, be refused in every way, and have the server fail in the middle."""
    life.api("getSession", {}, life.exchange(life.mint()))

    # The page, twice over: the lost answer given again, a second session that replaces the first, and signing out.
    code = life.mint()
    form = life.land(code)
    assert form["code"] == code
    life.enter(form)
    life.enter(form)
    life.enter(life.land(life.mint(externalId="user_456")))
    life.sign_out()

    # Codes that are used, another portal's, unknown, cut off.
    elsewhere = life.mint(slug="other")
    for bad in (code, elsewhere, life.keep(tokens.mint(tokens.EXCHANGE_CODE)), code[:-1], f"{code} "):
        life.land(bad, status=401)
        life.enter({**form, "code": bad}, status=401)
    life.api("exchangeSession", {"sessionId": code}, status=401)

    # Each secret where another one belongs, also as a member that nothing knows.
    fresh, token = life.mint(), life.exchange(life.mint())
    life.api("exchangeSession", {"sessionId": life.root_key}, status=401)
    life.api("exchangeSession", {"sessionId": token}, status=401)
    life.api("exchangeSession", {"sessionId": f"{fresh}\0"}, status=400)
    life.api("exchangeSession", {"sessionId": [fresh]}, status=400)
    life.api("createSession", BODY, token, status=401)
    life.api("createSession", BODY, fresh, status=401)
    life.api("createSession", BODY | {"slug": life.root_key}, life.root_key, status=400)
    life.api("createSession", BODY | {"permissions": [life.root_key]}, life.root_key, status=400)
    life.api("getSession", {}, life.root_key, status=401)
    life.api("getSession", {}, fresh, status=401)
    life.api("getSession", {"token": token}, token, status=400)
    life.api("endSession", {}, token)
    life.api("getSession", {}, token, status=401)

    # The root key's secrets: in its grace period, after it, disabled.
    row = RootKey.objects.get()
    old, life.root_key = life.root_key, life.keep(row.rotate(timedelta(hours=1)).secret)
    life.api("createSession", BODY, old)
    life.root_key = life.keep(row.rotate().secret)
    life.api("createSession", BODY, old, status=401)

    fail_in_the_middle(life)

    row.disable(end_sessions=True)
    life.api("createSession", BODY, life.root_key, status=403)


def fail_in_the_middle(life: Life) -> None:
    """Have a receiver of the host break every audit record: by a fault of its own, and by one in the database."""
    code = life.mint()
    form = life.land(code)

    def broken(sender: Any, instance: PortalEvent, **options: Any) -> None:
        raise RuntimeError(f"broken on {instance.kind}")

    def broken_sql(sender: Any, instance: PortalEvent, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    for receiver, statuses in ((broken, {500}), (broken_sql, {500, 503})):
        pre_save.connect(receiver, sender=PortalEvent)
        answers = [
            life.backend.post("/v2/portal.exchangeSession", {"sessionId": code}, content_type="application/json"),
            life.backend.post(
                "/v2/portal.createSession",
                BODY,
                content_type="application/json",
                headers={"Authorization": f"Bearer {life.root_key}"},
            ),
            life.browser.post("/my-portal/enter/", form),
        ]
        pre_save.disconnect(receiver, sender=PortalEvent)
        assert {answer.status_code for answer in answers} <= statuses
        assert [life.found_in(answer.content.decode()) for answer in answers] == [[], [], []]

    life.enter(form)


def stored() -> str:
    """Return every value of every row of every table, as text."""
    values: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                values += [as_text(value) for value in row]
    return "\n".join(values)


def as_text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def files() -> list[str]:
    """Return the raw content of SQLite's files, where deleted and overwritten rows can still be read."""
    if connection.vendor != "sqlite":
        return []
    database = Path(connection.settings_dict["NAME"])
    found = sorted(path.name.removeprefix(database.name) for path in database.parent.glob(f"{database.name}*"))
    assert {"", "-wal"} <= set(found)
    return [Path(f"{database}{suffix}").read_bytes().decode("latin-1") for suffix in found]


@pytest.mark.django_db(transaction=True)
def test_no_secret_is_kept_or_logged(everything: Everything) -> None:
    PortalConfigFactory(slug="my-portal")
    PortalConfigFactory(slug="other")
    life = Life()
    live(life)

    tables, raw, logged = stored(), files(), "\n".join(everything.lines)

    kinds = {secret[:-43] for secret in life.secrets}
    assert kinds == {tokens.ROOT_KEY, tokens.EXCHANGE_CODE, tokens.ACCESS_TOKEN, ""}
    # The search would find what is there: the rows, the statements with their parameters, the tracebacks.
    digest = tokens.digest(life.root_key).decode("latin-1")
    assert digest in tables
    assert all("user_456" in text for text in (tables, "".join(raw) or tables, logged))
    assert {"portal.api", "portal.pages", "django.request", "django.db.backends"} <= everything.names
    assert "RuntimeError: broken on session.exchanged" in logged
    assert life.found_in(f"…{life.root_key[:20]}") == [life.root_key]
    for text in (tables, *raw, logged):
        assert life.found_in(text) == []
