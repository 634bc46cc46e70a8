"""The way out: signing out ends the session on the server and leaves nothing of it in the browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page

from . import servers
from .servers import Demo
from .steps import back, is_inside, press, sees, session_cookie, sign_out, token

pytestmark = pytest.mark.browser


@pytest.fixture
def page(demo: Demo, browser: BrowserContext) -> Page:
    """Return a page inside the portal."""
    page = browser.new_page()
    page.goto(servers.mint(demo))
    press(page, "Continue")
    is_inside(page, demo)
    return page


def test_signing_out_ends_the_session_on_the_server(demo: Demo, browser: BrowserContext, page: Page):
    old = token(browser)
    assert servers.is_live(demo, old)
    sign_out(page)
    assert page.url == f"{demo.url}/my-portal/signed-out/"
    assert session_cookie(browser) is None
    assert not servers.is_live(demo, old)


def test_back_does_not_show_the_session_again(page: Page):
    sign_out(page)
    back(page)
    sees(page, "You are signed out")
    assert "Signed in as" not in page.inner_text("body")


def test_another_tab_is_out_too(browser: BrowserContext, demo: Demo, page: Page):
    other = browser.new_page()
    other.goto(page.url)
    is_inside(other, demo)
    sign_out(page)
    sign_out(other)
    other.goto(f"{demo.url}/my-portal/session/")
    sees(other, "You are signed out")


def test_a_double_click_signs_out_once(browser: BrowserContext, page: Page):
    page.get_by_role("button", name="Sign out").first.dblclick()
    sees(page, "You are signed out")
    assert session_cookie(browser) is None


def test_the_link_does_not_lead_back_in(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    page = browser.new_page()
    page.goto(link)
    press(page, "Continue")
    is_inside(page, demo)
    sign_out(page)
    page.goto(link)
    sees(page, "This link no longer works")
    assert session_cookie(browser) is None
