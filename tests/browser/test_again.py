"""Doing it again: reload, Back, a double click, the same link once more. People do all of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Route

from . import servers
from .conftest import NewBrowser
from .servers import Demo
from .steps import back, forward, gets_the_button, is_inside, press, sees, token

pytestmark = pytest.mark.browser


def test_reloading_the_landing_page_spends_nothing_and_changes_nothing(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    page = browser.new_page()
    page.goto(link)
    for _ in range(2):
        page.reload()
        gets_the_button(page, "Northwind Maps")
    assert servers.exchanges(demo, link) == 0
    press(page, "Continue")
    is_inside(page, demo)
    assert servers.exchanges(demo, link) == 1


def test_reloading_inside_stays_inside(demo: Demo, browser: BrowserContext):
    page = browser.new_page()
    page.goto(servers.mint(demo))
    press(page, "Continue")
    is_inside(page, demo)
    before = token(browser)
    page.reload()
    is_inside(page, demo)
    assert token(browser) == before


def test_back_and_forward_from_inside_end_up_inside(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    page = browser.new_page()
    page.goto(f"{demo.url}/")
    page.goto(link)
    press(page, "Continue")
    is_inside(page, demo)
    back(page)
    is_inside(page, demo)
    back(page)
    sees(page, "Developer settings")
    forward(page)
    is_inside(page, demo)
    assert servers.exchanges(demo, link) == 1


def test_back_after_continuing_by_itself_is_no_loop(demo: Demo, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.goto(f"{demo.url}/")
    press(page, "Manage API keys")
    is_inside(page, demo)
    back(page)
    if page.url != f"{demo.url}/":
        # The landing page has an entry of its own when the script was slower than the browser's load event.
        is_inside(page, demo)
        back(page)
    sees(page, "Developer settings")
    forward(page)
    is_inside(page, demo)


def test_a_double_click_spends_the_code_once(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    page = browser.new_page()
    page.goto(link)
    page.get_by_role("button", name="Continue").dblclick()
    is_inside(page, demo)
    assert servers.exchanges(demo, link) == 1
    assert servers.is_live(demo, token(browser))


def test_with_script_a_second_press_sends_nothing(demo: Demo, new_browser: NewBrowser):
    page = new_browser().new_page()
    held: list[Route] = []
    page.route("**/enter/", lambda route: held.append(route))
    page.goto(servers.mint(demo))
    page.get_by_role("button", name="Continue").focus()
    # Keys, because a click would wait for the held answer.
    with page.expect_request("**/enter/"):
        page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    is_inside(page, demo)


def test_a_lost_answer_is_given_again(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    page = browser.new_page()
    page.goto(link)
    # The server spends the code and the network loses the answer, cookie and all.
    page.route("**/enter/", lambda route: (route.fetch(max_redirects=0), route.abort()), times=1)
    with page.expect_event("requestfailed"):
        press(page, "Continue")
    browser.clear_cookies(name="portal_session")
    assert servers.exchanges(demo, link) == 1
    again = browser.new_page()
    again.goto(link)
    press(again, "Continue")
    is_inside(again, demo)
    assert servers.exchanges(demo, link) == 1


def test_the_spent_link_leads_the_same_browser_inside(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    first = browser.new_page()
    first.goto(link)
    press(first, "Continue")
    is_inside(first, demo)
    second = browser.new_page()
    second.goto(link)
    is_inside(second, demo)
    assert servers.exchanges(demo, link) == 1


def test_the_spent_link_is_dead_in_another_browser(demo: Demo, new_browser: NewBrowser):
    link = servers.mint(demo)
    owner, other = new_browser(), new_browser()
    page = owner.new_page()
    page.goto(link)
    press(page, "Continue")
    is_inside(page, demo)
    elsewhere = other.new_page()
    elsewhere.goto(link)
    sees(elsewhere, "This link no longer works")
    page.reload()
    is_inside(page, demo)


def test_of_two_browsers_with_one_link_only_the_first_gets_in(demo: Demo, new_browser: NewBrowser):
    link = servers.mint(demo)
    pages = [new_browser().new_page(), new_browser().new_page()]
    for page in pages:
        page.goto(link)
        sees(page, "Continue to Northwind Maps")
    for page in pages:
        press(page, "Continue")
    is_inside(pages[0], demo)
    sees(pages[1], "This link no longer works")
    assert servers.exchanges(demo, link) == 1
