"""The keys pages without a mouse: every step by Tab, arrows, Enter and Space, and where the focus is on the way."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.models import PortalConfig
from tests.pages.shelf import put

from .conftest import NewBrowser
from .keys import address, go_in, link_in, secret_on, serve
from .steps import sees, session_cookie

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("orm_beside_playwright")]

#: What has the focus, in its words (a field's are its label's), and whether it shows: an outline of 2 pixels, in sight. The
#: calendar's button in a date is of the browser's own making, outline and all.
FOCUSED = """() => {
  const on = document.activeElement, words = on.labels?.[0] ?? on, box = on.getBoundingClientRect();
  const style = getComputedStyle(on), outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const browsers = on.type === "date" && !on.matches(":focus");
  const inSight = box.top >= -1 && box.bottom <= innerHeight + 1 && box.left >= -1 && box.right <= innerWidth + 1;
  const text = words.textContent.trim().replace(/\\s+/g, " ").replace(/(?<=Your session ends).*/, "");
  return [on === document.body ? "" : text, (outlined || browsers) && inSight];
}"""
#: Where Tab comes first on every page.
SHELL = [
    *("Skip to main content", "N Northwind MapsSigned in as user_123", "← Back to Northwind Maps", "Sign out"),
    *("API keys", "Usage"),
]
#: And last.
FOOT = ["Your session ends"]


@pytest.fixture
def config(live_server: Any, settings: Any) -> PortalConfig:
    return serve(live_server, settings)


@pytest.fixture
def page(live_server: Any, config: PortalConfig, new_browser: NewBrowser) -> Page:
    """Return a page inside the portal, with a clipboard."""
    return go_in(new_browser(permissions=["clipboard-read", "clipboard-write"]), live_server, config)


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until what is called like this has the focus, and shows it."""
    passed = []
    for _ in range(30):
        page.keyboard.press(key)
        words, shows = page.evaluate(FOCUSED)
        assert not words or shows, f"{words!r} has the focus and does not show it"
        if words == name:
            return
        passed.append(words)
    raise AssertionError(f"{key} never came to {name!r}, only to {passed}")


def enter(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


def focus_path(page: Page) -> list[str]:
    """Return what Tab comes to, from where the focus is to the end of the page."""
    path = []
    for _ in range(60):
        page.keyboard.press("Tab")
        words, shows = page.evaluate(FOCUSED)
        if not words:
            # A date's day, month, year and calendar are a stop each.
            return [words for words, _ in groupby(path)]
        assert shows, f"{words!r} has the focus and does not show it"
        path.append(words)
    raise AssertionError(f"Tab never came to the end of the page, only to {path}")


def is_said_first(note: Locator) -> None:
    """Check that what the page has to say has the focus and is in sight."""
    expect(note).to_be_focused()
    expect(note).to_be_in_viewport()


def test_the_whole_journey_by_keyboard(live_server: Any, config: PortalConfig, new_browser: NewBrowser) -> None:
    context = new_browser(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    summary, note = page.get_by_role("alert"), page.locator("main [role=status]")
    page.goto(link_in(live_server, config))
    sees(page, "Continue to Northwind Maps")
    enter(page, "Continue")

    sees(page, "API keys")
    enter(page, "Create key")
    sees(page, "Create a key")
    enter(page, "Create key")
    is_said_first(summary)
    enter(page, "Enter a name for the key")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("CI runner")
    page.keyboard.press("Enter")
    first = secret_on(page)
    enter(page, "Copy key")
    expect(page.locator("#live")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == first
    enter(page, "I’ve saved it, go to my keys")

    sees(page, "API keys")
    enter(page, "Rotate CI runner")
    sees(page, "Rotate CI runner")
    tab_to(page, "In 24 hours")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="In 1 hour")).to_be_checked()
    enter(page, "Rotate key")
    assert secret_on(page) != first
    enter(page, "Copy key")
    enter(page, "I’ve saved it, go to my keys")
    sees(page, "API keys")
    enter(page, "End old secret now CI runner")
    is_said_first(note)
    expect(note).to_have_text("The old secret of “CI runner” no longer works.")

    enter(page, "Edit")
    sees(page, "Edit CI runner")
    tab_to(page, "Name")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    is_said_first(summary)
    enter(page, "Enter a name for the key")
    page.keyboard.type("Build server")
    enter(page, "Save changes")
    sees(page, "Build server")
    is_said_first(note)

    enter(page, "Revoke")
    sees(page, "Revoke Build server?")
    enter(page, "Revoke key")
    is_said_first(summary)
    enter(page, "Tick the box to confirm")
    expect(page.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Space")
    enter(page, "Revoke key")
    sees(page, "API keys")
    is_said_first(note)
    expect(note).to_have_text("“Build server” was revoked.")
    tab_to(page, "Sign out", "Shift+Tab")
    page.keyboard.press("Enter")
    sees(page, "You are signed out")
    assert session_cookie(context) is None


def test_the_way_through_the_list(live_server: Any, config: PortalConfig, page: Page) -> None:
    put(config, "CI runner")
    put(config, "Deploys", grace=timedelta(hours=1))
    page.goto(address(live_server, "keys"))
    above = ["Create key", "All 2", "Active 2", "Name or first characters", "Search"]
    head = ["Key ↕", "Last 30 days ↕", "Expires ↕"]
    rotated = ["Deploys", "End old secret now Deploys", "Edit Deploys", "Rotate Deploys", "Revoke Deploys"]
    plain = ["CI runner", "Edit CI runner", "Rotate CI runner", "Revoke CI runner"]
    assert focus_path(page) == [*SHELL, *above, *head, *rotated, *plain, *FOOT]
    # Without headings the orders have a line of their own, and what cannot be seen cannot have the focus.
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address(live_server, "keys"))
    above = ["Create key", "All 2", "Active 2", "Name or first characters", "Search"]
    orders = ["Newest", "Name", "Use", "Expires"]
    assert focus_path(page) == [*SHELL, *above, *orders, *rotated, *plain, *FOOT]
    enter(page, "Name")
    expect(page.locator(".key").first).to_contain_text("CI runner")
    expect(page.get_by_role("navigation", name="Sort by").get_by_role("link", name="Name ↑")).to_have_attribute(
        "aria-current", "true"
    )
    expect(page.get_by_role("columnheader", name="Expires")).to_have_count(1)


def test_the_foot_leads_to_the_session(live_server: Any, page: Page) -> None:
    page.goto(address(live_server, "usage"))
    enter(page, *FOOT)
    sees(page, "Your session")


def test_the_way_through_a_form_goes_on_at_what_is_wrong(live_server: Any, config: PortalConfig, page: Page) -> None:
    page.goto(address(live_server, "key-create"))
    fields = ["Name", "90 days", "Date", "Create key", "Cancel"]
    assert focus_path(page) == [*SHELL, *fields, *FOOT]
    page.get_by_label("Name", exact=True).press("Enter")
    is_said_first(page.get_by_role("alert"))
    assert focus_path(page) == ["Enter a name for the key", *fields, *FOOT]


def test_the_way_through_the_page_with_the_secret(live_server: Any, config: PortalConfig, page: Page) -> None:
    page.goto(address(live_server, "key-create"))
    page.get_by_label("Name", exact=True).press_sequentially("CI runner\n")
    secret = secret_on(page)
    assert focus_path(page) == [*SHELL, secret, "Copy key", "How to use it", "I’ve saved it, go to my keys", *FOOT]


def test_the_button_that_harms_comes_before_the_way_out(live_server: Any, config: PortalConfig, page: Page) -> None:
    page.goto(address(live_server, "key-revoke", key_id=put(config, "CI runner").id))
    box = "I understand that anything using this key will stop working."
    assert focus_path(page) == [*SHELL, box, "Revoke key", "Keep key", *FOOT]


def test_the_skip_link_leads_past_the_header(live_server: Any, config: PortalConfig, page: Page) -> None:
    page.goto(address(live_server, "keys"))
    enter(page, "Skip to main content")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == ["Create key", True]
