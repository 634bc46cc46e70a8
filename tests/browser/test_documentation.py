"""What the documentation says about browsers, tried in one: the tutorial's way in, and calling the API from JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.docs.follower import Follower
from tests.docs.markdown import steps

from .steps import press, sees, session_cookie

pytestmark = pytest.mark.browser

PAGE = "how-to/call-from-javascript.md"
CURRENT_SESSION, SESSION_BY_TOKEN = (step.text for step in steps(PAGE) if step.language == "js")
#: The origin that the documentation names; here the page is on a free port.
NAMED = "http://127.0.0.1:3000"


class EmptyPage(BaseHTTPRequestHandler):
    """The reader's own product. A real one: Chromium lets no page call this machine but those that come from it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><link rel="icon" href="data:,">')

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def same_site(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def other_site(port: int) -> str:
    return f"http://shop.localhost:{port}"


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    """Return a reader who has followed the tutorial and left the server running."""
    follower = Follower(tmp_path_factory.mktemp("tutorial"))
    follower.follow("tutorial.md")
    yield follower
    follower.close()


@pytest.fixture
def reader(tutorial: Follower, tmp_path: Path) -> Iterator[Follower]:
    follower = tutorial.copy(tmp_path)
    yield follower
    follower.close()


def go_in(page: Page, reader: Follower) -> None:
    page.goto(f"http://{reader.site}/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("ada")
    press(page, "Log in")
    press(page, "API keys")
    # No further press: it continues by itself.
    sees(page, "API keys")


# The consoles have complaints, about the tutorial's missing icon and about refusals; so these profiles are not checked.
def test_the_tutorials_button_leads_inside_by_itself(tutorial: Follower, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    go_in(page, tutorial)
    assert page.url == f"http://{tutorial.site}/portal/my-portal/keys/"
    assert page.get_by_text("ada").first.is_visible()
    context.close()


def list_origin(reader: Follower, origin: str) -> None:
    """Do what the page says about listing an origin, with this one."""
    (step,) = (step for step in steps(PAGE) if step.section == "One site, two origins" and step.language == "python")
    assert NAMED in step.text
    reader.do(replace(step, text=step.text.replace(NAMED, origin)))


def page_at(context: BrowserContext, origin: str) -> Page:
    page = context.new_page()
    page.goto(f"{origin}/")
    return page


def call(page: Page, reader: Follower, function: str, *arguments: str) -> Any:
    """Define the documented function on the page and call it."""
    source = reader.here(function)
    name = source.partition("async function ")[2].partition("(")[0]
    return page.evaluate(f"(given) => {{ {source}\nreturn {name}(...given); }}", list(arguments))


def test_from_another_origin_of_the_site(reader: Follower, chromium: Browser, same_site: str) -> None:
    list_origin(reader, same_site)
    reader.run("python manage.py runserver")
    context = chromium.new_context()
    page = page_at(context, same_site)
    assert call(page, reader, CURRENT_SESSION) is None
    go_in(context.new_page(), reader)
    assert call(page, reader, CURRENT_SESSION)["externalId"] == "1"
    context.close()


def test_from_another_site(reader: Follower, chromium: Browser, other_site: str) -> None:
    list_origin(reader, other_site)
    reader.run("python manage.py runserver")
    for step in steps(PAGE):
        if step.section == "Two sites" and step.language == "sh":
            reader.do(step)
    token = json.loads(reader.said)["data"]["token"]
    context = chromium.new_context()
    go_in(context.new_page(), reader)
    page = page_at(context, other_site)
    assert call(page, reader, SESSION_BY_TOKEN, token)["externalId"] == "user_123"
    # The cookie stays at home.
    assert call(page, reader, CURRENT_SESSION) is None
    context.close()


def test_a_cookie_that_other_sites_may_send(reader: Follower, chromium: Browser) -> None:
    (step,) = (step for step in steps(PAGE) if step.section == "Two sites" and step.language == "python")
    reader.do(step)
    # Browsers take a Secure cookie from this machine without https; everywhere else https makes it Secure. Whether they send
    # it from another site is theirs to say: this one does not, as the page warns.
    settings = reader.path("mysite/settings.py")
    settings.write_text(f'{settings.read_text()}\nPORTAL["COOKIE_SECURE"] = True\n')
    reader.run("python manage.py runserver")
    context = chromium.new_context()
    go_in(context.new_page(), reader)
    cookie = session_cookie(context)
    assert cookie
    assert (cookie["sameSite"], cookie["secure"]) == ("None", True)
    context.close()
