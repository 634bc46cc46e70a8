"""What nobody may do to a person: sign them in unasked, spend their link, replace their session silently."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page

from . import servers
from .conftest import NewBrowser
from .servers import ACME, Demo, code_of
from .steps import enters, gets_the_button, is_inside, press, sees, session_cookie, token

pytestmark = pytest.mark.browser

# A page of the product that speculates on its link into the portal.
PRERENDER = """link => {
    const rules = document.createElement("script");
    rules.type = "speculationrules";
    rules.textContent = JSON.stringify({prerender: [{urls: [link], eagerness: "immediate"}]});
    document.head.append(rules);
    document.querySelector("main").insertAdjacentHTML("beforeend", "<a>Prerendered</a>");
    document.querySelector("main a").href = link;
}"""


def push(page: Page, stranger: str, how: str, to: str, **options: str) -> None:
    page.goto(f"{stranger}/push/?{urlencode({'how': how, 'to': to, **options})}", wait_until="commit")


def enter(page: Page, link: str) -> None:
    page.goto(link)
    press(page, "Continue")
    sees(page, "API keys")


@pytest.mark.parametrize(
    ("how", "policy"),
    [("assign", "unsafe-url"), ("click", "unsafe-url"), ("refresh", "unsafe-url"), ("assign", "no-referrer")],
)
def test_a_strangers_page_cannot_sign_anybody_in(
    how: str, policy: str, demo: Demo, stranger: str, new_browser: NewBrowser
):
    link = servers.mint(demo, "mallory", ACME)
    context = new_browser()
    page = context.new_page()
    push(page, stranger, how, link, policy=policy)
    gets_the_button(page, "Acme")
    assert session_cookie(context) is None
    assert servers.exchanges(demo, link) == 0


def test_reloading_does_not_turn_a_strangers_push_into_a_visit(demo: Demo, stranger: str, new_browser: NewBrowser):
    link = servers.mint(demo, "mallory", ACME)
    page = new_browser().new_page()
    push(page, stranger, "assign", link)
    gets_the_button(page, "Acme")
    page.reload()
    gets_the_button(page, "Acme")
    assert servers.exchanges(demo, link) == 0


def test_a_strangers_form_is_refused_and_spends_nothing(demo: Demo, stranger: str, new_browser: NewBrowser):
    link = servers.mint(demo, "mallory", ACME)
    context = new_browser()
    # The person has met the landing page before, so the browser has a nonce.
    page = context.new_page()
    page.goto(link)
    sees(page, "Continue to Acme")
    with page.expect_response(f"{demo.url}/{ACME}/enter/") as answer:
        push(page, stranger, "post", f"{demo.url}/{ACME}/enter/", code=code_of(link), policy="unsafe-url")
    if stranger.startswith("http://127.0.0.1"):
        assert answer.value.status == 403
        sees(page, "This form is out of date")
    else:
        # From another site SameSite=Lax keeps even the nonce at home.
        assert answer.value.status == 401
        sees(page, "Your browser blocked the sign-in")
    assert session_cookie(context) is None
    assert servers.exchanges(demo, link) == 0
    enter(page, link)
    is_inside(page, demo, ACME)


def test_a_request_ahead_of_the_click_is_put_off(demo: Demo, new_browser: NewBrowser):
    link = servers.mint(demo)
    context = new_browser()
    for purpose in ("prefetch", "prefetch;prerender"):
        answer = context.request.get(link, headers={"Sec-Purpose": purpose})
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    page = context.new_page()
    enter(page, link)
    is_inside(page, demo)


def test_a_prefetched_link_still_works(demo: Demo, product: str, new_browser: NewBrowser):
    link = servers.mint(demo, "bob", ACME)
    page = new_browser().new_page()
    with page.expect_response(link) as answer:
        push(page, product, "prefetch", link, policy="strict-origin")
    assert answer.value.request.all_headers()["sec-purpose"] == "prefetch"
    assert answer.value.status == 503
    page.get_by_role("link", name="Manage API keys").click()
    is_inside(page, demo, ACME)
    assert servers.exchanges(demo, link) == 1


def test_a_prerendered_link_still_works(demo: Demo, new_browser: NewBrowser):
    link = servers.mint(demo)
    context = new_browser()
    page = context.new_page()
    page.goto(f"{demo.url}/")
    with context.expect_event("response", lambda response: response.url == link) as answer:
        page.evaluate(PRERENDER, link)
    assert answer.value.request.all_headers()["sec-purpose"] == "prefetch;prerender"
    assert answer.value.status == 503
    assert servers.exchanges(demo, link) == 0
    page.get_by_role("link", name="Prerendered").click()
    is_inside(page, demo)
    assert servers.exchanges(demo, link) == 1


def test_somebody_else_is_signed_in(demo: Demo, new_browser: NewBrowser):
    context = new_browser()
    page = context.new_page()
    enter(page, servers.mint(demo, "grace"))
    old = token(context)
    sent = enters(page)
    # The demo's own button, which otherwise continues by itself, brings Ada.
    page.goto(f"{demo.url}/")
    press(page, "Manage API keys")
    gets_the_button(page, "Northwind Maps")
    assert "You are signed in as grace. Continue as Ada Wong?" in page.inner_text("main")
    assert sent == []
    assert servers.is_live(demo, old)
    press(page, "Continue")
    is_inside(page, demo)
    assert "Ada Wong" in page.inner_text("header")
    assert token(context) != old
    assert not servers.is_live(demo, old)


def test_staying_spends_nothing(demo: Demo, new_browser: NewBrowser):
    context = new_browser()
    page = context.new_page()
    enter(page, servers.mint(demo, "grace"))
    old, link = token(context), servers.mint(demo, "ada")
    page.goto(link)
    page.get_by_role("link", name="Stay signed in as grace").click()
    is_inside(page, demo)
    assert token(context) == old
    assert servers.exchanges(demo, link) == 0


def test_another_portals_session_is_replaced_only_on_request(demo: Demo, product: str, new_browser: NewBrowser):
    context = new_browser()
    page = context.new_page()
    enter(page, servers.mint(demo, "grace"))
    old = token(context)
    page.goto(f"{product}/?user=bob&documented=1")
    press(page, "Manage API keys")
    gets_the_button(page, "Acme")
    assert "You are signed in as grace. Continue as bob?" in page.inner_text("main")
    press(page, "Continue")
    is_inside(page, demo, ACME)
    assert not servers.is_live(demo, old)


def test_the_same_person_comes_again_without_being_asked(demo: Demo, new_browser: NewBrowser):
    context = new_browser()
    page = context.new_page()
    tokens = []
    for _ in range(2):
        page.goto(f"{demo.url}/")
        press(page, "Manage API keys")
        is_inside(page, demo)
        tokens.append(token(context))
    assert [servers.is_live(demo, value) for value in tokens] == [False, True]


def test_blocked_cookies_are_named_and_nothing_is_spent(demo: Demo, browser: BrowserContext):
    link = servers.mint(demo)
    page = browser.new_page()
    page.goto(link)
    sees(page, "Continue to Northwind Maps")
    browser.clear_cookies()
    press(page, "Continue")
    sees(page, "Your browser blocked the sign-in")
    assert servers.exchanges(demo, link) == 0
    enter(page, link)
    is_inside(page, demo)
