"""The ways in: from the demo's button, from a product on another origin, by keyboard, by a link opened directly."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import BrowserContext

from . import servers
from .conftest import NewBrowser
from .servers import ACME, Demo
from .steps import enters, gets_the_button, is_inside, press, sees, session_cookie, tab_to, token

pytestmark = pytest.mark.browser


def test_the_demos_button_leads_inside_without_a_second_click(demo: Demo, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.goto(f"{demo.url}/")
    press(page, "Manage API keys")
    is_inside(page, demo)
    assert "Ada Wong" in page.inner_text("header")


def test_the_demos_button_and_continue_lead_inside_without_script(demo: Demo, new_browser: NewBrowser):
    page = new_browser(java_script_enabled=False).new_page()
    page.goto(f"{demo.url}/")
    press(page, "Manage API keys")
    sees(page, "Continue to Northwind Maps")
    press(page, "Continue")
    is_inside(page, demo)


def test_the_link_that_the_demo_prints_works(demo: Demo, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.goto(demo.link)
    press(page, "Continue")
    is_inside(page, demo)


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_hosts(demo: Demo, new_browser: NewBrowser):
    context = new_browser()
    page = context.new_page()
    page.goto(f"{demo.url}/")
    with page.expect_response("**/enter/") as answer:
        press(page, "Manage API keys")
    is_inside(page, demo)
    assert "domain=" not in answer.value.all_headers()["set-cookie"].lower()
    cookie = session_cookie(context)
    assert cookie is not None
    assert (cookie["domain"], cookie["path"]) == ("127.0.0.1", "/")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)
    assert cookie["expires"] == pytest.approx(time.time() + 24 * 3600, abs=60)
    assert "portal_session" not in page.evaluate("document.cookie")
    assert servers.is_live(demo, token(context))


def test_in_and_out_by_keyboard(demo: Demo, browser: BrowserContext, request: pytest.FixtureRequest):
    page = browser.new_page()
    page.goto(f"{demo.url}/")
    tab_to(page, "Manage API keys")
    page.keyboard.press("Enter")
    if "no-script" in request.node.callspec.id:
        sees(page, "Continue to Northwind Maps")
        tab_to(page, "Continue")
        page.keyboard.press("Enter")
    is_inside(page, demo)
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    sees(page, "You are signed out")
    tab_to(page, "Back to Northwind Maps")
    page.keyboard.press("Enter")
    sees(page, "Developer settings")


def test_a_link_opened_directly_waits_for_the_person(demo: Demo, new_browser: NewBrowser):
    link = servers.mint(demo)
    page = new_browser().new_page()
    page.goto(link)
    gets_the_button(page, "Northwind Maps")
    assert servers.exchanges(demo, link) == 0
    press(page, "Continue")
    is_inside(page, demo)
    assert servers.exchanges(demo, link) == 1


def test_no_asset_request_carries_the_code(demo: Demo, new_browser: NewBrowser):
    page = new_browser().new_page()
    requests = []
    page.on("request", lambda request: requests.append(request))
    page.goto(servers.mint(demo))
    page.wait_for_load_state("networkidle")
    assets = [request.all_headers().get("referer") for request in requests if "/static/" in request.url]
    assert assets == [f"{demo.url}/"] * len(assets)
    assert len(assets) >= 2  # The style sheet and the script, at least.


def test_the_documented_line_leads_straight_in(demo: Demo, product: str, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.goto(f"{product}/?user=bob&documented=1")
    press(page, "Manage API keys")
    is_inside(page, demo, ACME)
    assert "bob" in page.inner_text("header")


def test_without_the_documented_line_there_is_a_button(demo: Demo, product: str, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.goto(f"{product}/?user=bob")
    press(page, "Manage API keys")
    gets_the_button(page, "Acme")
    press(page, "Continue")
    is_inside(page, demo, ACME)


def test_from_a_page_without_referrer_there_is_a_button(demo: Demo, product: str, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.goto(f"{product}/?user=bob&documented=1&policy=no-referrer")
    page.get_by_role("link", name="Keys", exact=True).click()
    gets_the_button(page, "Acme")
    press(page, "Continue")
    is_inside(page, demo, ACME)


def test_from_a_page_without_referrer_a_link_with_a_policy_leads_straight_in(
    demo: Demo, product: str, new_browser: NewBrowser
):
    page = new_browser().new_page()
    page.goto(f"{product}/?user=bob&documented=1&policy=no-referrer")
    page.get_by_role("link", name="Keys, with a policy").click()
    is_inside(page, demo, ACME)


def test_a_page_in_the_background_waits_until_it_is_seen(demo: Demo, new_browser: NewBrowser):
    page = new_browser().new_page()
    page.add_init_script("""
        let state = location.search ? "hidden" : "visible";
        Object.defineProperty(Document.prototype, "visibilityState", {get: () => state});
        addEventListener("test-shown", () => { state = "visible"; document.dispatchEvent(new Event("visibilitychange")) });
    """)
    sent = enters(page)
    page.goto(f"{demo.url}/")
    press(page, "Manage API keys")
    gets_the_button(page, "Northwind Maps")
    assert sent == []
    page.evaluate("dispatchEvent(new Event('test-shown'))")
    is_inside(page, demo)
    assert len(sent) == 1
