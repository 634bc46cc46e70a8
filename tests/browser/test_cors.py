"""A page on another origin calls the API with the user's cookie (design decision 9), in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from . import servers
from .servers import Demo
from .steps import is_inside, press

pytestmark = pytest.mark.browser

SLUG = "cors-portal"
#: Same site as the portal, another port: there the cookie travels along with SameSite=Lax.
FETCH = """async ([url, options]) => {
  try {
    const answer = await fetch(url, {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}", ...options});
    return [answer.status, (await answer.json()).error?.type ?? "", answer.headers.get("X-Request-Id") !== null];
  } catch (error) {
    return String(error);
  }
}"""
REFUSED = "TypeError: Failed to fetch"


@pytest.fixture(scope="module", autouse=True)
def portal(demo: Demo, product_port: int) -> None:
    """Make a portal that lists the product's port on the portal's own host."""
    origin = f"http://127.0.0.1:{product_port}"
    servers.manage(demo, "portal_create_portal", SLUG, "--name", "Shop", "--allowed-origin", origin)


def call(page: Page, demo: Demo, operation: str, **options: Any) -> Any:
    return page.evaluate(FETCH, [f"{demo.url}/v2/portal.{operation}", {"credentials": "include", **options}])


def test_listed_and_other_origins(demo: Demo, product_port: int, chromium: Any) -> None:
    # The console of these pages is full of refusals, which is right; so they have profiles without the console check.
    context = chromium.new_context()
    page = context.new_page()
    page.goto(servers.mint(demo, slug=SLUG))
    press(page, "Continue")
    is_inside(page, demo, SLUG)

    page.goto(f"http://127.0.0.1:{product_port}/")
    assert call(page, demo, "listKeys") == [200, "", True]
    # Without the cookie the refusal can be read, so that the page knows what to do.
    status, kind, _ = call(page, demo, "listKeys", credentials="omit")
    assert (status, kind.rpartition("/")[2]) == (401, "portal_token_missing")
    assert (
        call(page, demo, "listKeys", headers={"Content-Type": "application/json", "Authorization": "Bearer x"})[0]
        == 401
    )
    # A header that no preflight allows, and the operation that is for backends.
    assert call(page, demo, "listKeys", headers={"Content-Type": "application/json", "X-Own": "1"}) == REFUSED
    assert call(page, demo, "createSession") == REFUSED
    assert call(page, demo, "listKeys")[0] == 200
    context.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "stranger.localhost"])
def test_a_stranger_reads_nothing(demo: Demo, stranger_port: int, chromium: Any, host: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(servers.mint(demo, slug=SLUG))
    press(page, "Continue")
    is_inside(page, demo, SLUG)
    page.goto(f"http://{host}:{stranger_port}/")
    assert call(page, demo, "listKeys") == REFUSED
    assert call(page, demo, "endSession") == REFUSED
    # A form needs no consent by CORS; it is refused for its origin and its type.
    assert call(page, demo, "endSession", headers={"Content-Type": "text/plain"}) == REFUSED
    page.goto(f"{demo.url}/{SLUG}/keys/")
    is_inside(page, demo, SLUG)
    context.close()
