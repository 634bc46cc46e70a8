"""What a person does and sees, in the words of the tests."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from .servers import DEMO, Demo


def sees(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def press(page: Page, button: str) -> None:
    """Press the button whose name begins like this: “Continue” is also “Continue as Ada Wong”."""
    page.get_by_role("button", name=re.compile(f"^{button}")).click()


def sign_out(page: Page) -> None:
    # The header's button; the page about the session has another one.
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    sees(page, "You are signed out")


def back(page: Page) -> None:
    # A page out of the back/forward cache is there at once and never loads, so waiting for that would take for ever.
    page.go_back(wait_until="commit")


def forward(page: Page) -> None:
    page.go_forward(wait_until="commit")


def is_inside(page: Page, demo: Demo, slug: str = DEMO) -> None:
    """Check that the person is inside and that the address, and the one before it, are clean."""
    sees(page, "API keys")
    assert page.url == f"{demo.url}/{slug}/keys/"
    assert "session=" not in page.evaluate("document.referrer")


def gets_the_button(page: Page, app: str) -> None:
    """Check that the landing page waits for the person, after giving it time to do otherwise."""
    sees(page, f"Continue to {app}")
    page.wait_for_load_state()
    page.wait_for_timeout(400)
    sees(page, f"Continue to {app}")
    assert "?session=pst_" in page.url


def session_cookie(context: BrowserContext) -> dict[str, Any] | None:
    return next((cookie for cookie in context.cookies() if cookie["name"] == "portal_session"), None)


def token(context: BrowserContext) -> str:
    """Return the access token that the browser holds."""
    cookie = session_cookie(context)
    assert cookie is not None
    return str(cookie["value"])


def enters(page: Page) -> list[str]:
    """Return a list that grows by an address whenever the page sends a code to be spent."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/enter/") else None)
    return sent


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the link or button of this name has the focus."""
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
        if seen[-1] == name:
            return
    raise AssertionError(f"Tab never came to {name!r}, only to {seen}")
