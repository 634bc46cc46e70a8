"""The page with a secret and what people do on it: copying, Back, reload, leaving. The secret is shown once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, Error, Page, expect

from portal.models import PortalConfig

from .conftest import NewBrowser
from .keys import create, go_in, serve
from .steps import back, forward, press, sees

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("orm_beside_playwright")]

#: What a page can keep: every entry's address and state, and what the origin stores.
KEPT = """() => [history.state, ...navigation.entries().map(entry => [entry.url, entry.getState()]),
  {...sessionStorage}, {...localStorage}, document.cookie, name]"""


@pytest.fixture
def config(live_server: Any, settings: Any) -> PortalConfig:
    return serve(live_server, settings)


def is_kept_nowhere(secret: str, page: Page) -> None:
    """Check that the secret is neither on the page nor anywhere in the browser where a page can look for it."""
    assert secret not in page.content()
    assert secret not in json.dumps(page.evaluate(KEPT))
    assert secret not in json.dumps(page.context.cookies())
    assert secret not in json.dumps(page.context.storage_state())


def is_asked_for_the_form_again(page: Page, go: Callable[[Page], None]) -> None:
    """Check that the browser has no copy of the page: it would have to send the form again, and asks before it does."""
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        go(page)
    expect(page).to_have_url(re.compile("^chrome-error:"))


def sends_the_form_again(page: Page) -> None:
    """Reload, which sends the form, and check that the portal shows no secret for it."""
    answer = page.reload()
    assert answer is not None
    assert (answer.request.method, answer.status) == ("POST", 409)
    sees(page, "This key was already shown")


def test_the_button_copies_the_secret_and_says_so(
    live_server: Any, config: PortalConfig, new_browser: NewBrowser
) -> None:
    page = go_in(new_browser(permissions=["clipboard-read", "clipboard-write"]), live_server, config)
    secret = create(page, "CI runner")
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_attribute("id", "live")
    assert page.evaluate("navigator.clipboard.readText()") == secret


def test_back_and_reload_after_it_was_saved(live_server: Any, config: PortalConfig, browser: BrowserContext) -> None:
    page = go_in(browser, live_server, config)
    secret = create(page, "CI runner")
    press(page, "I’ve saved it")
    sees(page, "API keys")
    is_kept_nowhere(secret, page)
    is_asked_for_the_form_again(page, back)
    assert secret not in page.content()
    sends_the_form_again(page)
    is_kept_nowhere(secret, page)


def test_leaving_uncopied_asks_once(live_server: Any, config: PortalConfig, new_browser: NewBrowser) -> None:
    page = go_in(new_browser(), live_server, config)
    secret = create(page, "CI runner")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    # Browsers ask only those who did something on the page.
    page.locator("output").click()
    with page.expect_event("dialog"):
        page.evaluate("void setTimeout(() => history.back())")
    page.wait_for_timeout(300)
    expect(page.locator("output")).to_have_text(secret)
    back(page)
    sees(page, "Create a key")
    is_kept_nowhere(secret, page)
    is_asked_for_the_form_again(page, forward)
    sends_the_form_again(page)
    is_kept_nowhere(secret, page)
    assert asked == ["beforeunload"]


def test_reloading_uncopied_asks_once(live_server: Any, config: PortalConfig, new_browser: NewBrowser) -> None:
    page = go_in(new_browser(), live_server, config)
    secret = create(page, "CI runner")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.locator("output").click()
    sends_the_form_again(page)
    is_kept_nowhere(secret, page)
    page.reload()
    sees(page, "This key was already shown")
    assert asked == ["beforeunload"]
