"""A real Chromium, the running demo, and next to it a product and a stranger on origins of their own.

Django's ORM is out of reach in most of these tests: playwright keeps an event loop running. They ask the servers instead.
Those of the keys pages have a server in this process and reach it by ``orm_beside_playwright``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Playwright, expect, sync_playwright

from . import servers
from .servers import ACME, Demo

#: For each test: opens a browser profile of its own. Options are those of playwright's new_context.
NewBrowser = Callable[..., BrowserContext]

#: How long a test waits for what must come, in milliseconds; only a failing test, or a very busy machine, waits so long.
TIMEOUT = 10_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How Chromium itself comments on a refusal page, and the only thing that may stand in the console.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|409|422|503) \(.*\)")


def _executable() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    if not found or not Path(found).is_file():
        missing = f"There is no {found}" if found else "Chromium is missing"
        pytest.fail(f"{missing}: apt-get install chromium, or set CHROMIUM=/path to one.", pytrace=False)
    return found


# Per package, not per session: the event loop must not outlive these tests.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    # Playwright switches the back/forward cache off; people's browsers have it, so Back is tried with it.
    browser = playwright.chromium.launch(
        executable_path=_executable(), args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    )
    yield browser
    browser.close()


# For the module, because the database is emptied after a test's own fixtures are gone.
@pytest.fixture(scope="module")
def orm_beside_playwright() -> Iterator[None]:
    """Let a module use Django's ORM: it runs in the thread of playwright's event loop, but is not called from the loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with servers.demo(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="package")
def product_port(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run the product whose portal is acme; it has two origins, and the portal lists both."""
    port = servers.free_port()
    origins = [f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    options = [option for origin in origins for option in ("--return-origin", origin)]
    servers.manage(demo, "portal_create_portal", ACME, "--name", "Acme", "--return-url", f"{origins[0]}/", *options)
    with _product(port, demo, tmp_path_factory.mktemp("product"), ROOT_KEY=demo.root_key):
        yield port


@pytest.fixture(scope="package")
def stranger_port(demo: Demo, product_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run pages that no portal lists, to push people into the product's portal."""
    port = servers.free_port()
    with _product(port, demo, tmp_path_factory.mktemp("stranger")):
        yield port


def _product(port: int, demo: Demo, folder: Path, **variables: str) -> AbstractContextManager[None]:
    command = ["tests/browser/product.py", str(port), demo.url, ACME]
    return servers.running(command, f"http://127.0.0.1:{port}/", folder / "log", **variables)


@pytest.fixture(params=["localhost", "127.0.0.1"], ids=["other-site", "other-port"])
def product(request: pytest.FixtureRequest, product_port: int) -> str:
    """Return the product's origin: on another site than the portal's, and on another port of the same host."""
    return f"http://{request.param}:{product_port}"


@pytest.fixture(params=["stranger.localhost", "127.0.0.1"], ids=["other-site", "other-port"])
def stranger(request: pytest.FixtureRequest, stranger_port: int) -> str:
    return f"http://{request.param}:{stranger_port}"


@pytest.fixture
def new_browser(chromium: Browser) -> Iterator[NewBrowser]:
    """Return a function that opens one more browser profile. At the end their consoles must be empty."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if not _REFUSED.fullmatch(message.text):
            complaints.append(f"{message.type}: {message.text}")

    def new(**options: object) -> BrowserContext:
        context = chromium.new_context(**options)
        context.set_default_timeout(TIMEOUT)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def browser(request: pytest.FixtureRequest, new_browser: NewBrowser) -> BrowserContext:
    """Return a browser with JavaScript, and one without."""
    return new_browser(java_script_enabled=request.param)
