"""The page with a secret, in a real Chromium: copying, leaving, printing, with script and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from .stage import ORIGIN, Stage

pytestmark = pytest.mark.browser


def shown(stage: Callable[..., Stage], look: Callable[..., Any], **options: Any) -> Stage:
    window = stage(width=1280, **options)
    window.show(look("reveal"))
    return window


def secret_of(window: Stage) -> str:
    return window.page.locator("output").inner_text()


def test_copying(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look, permissions=["clipboard-read", "clipboard-write"])
    page = window.page
    button = page.get_by_role("button", name="Copy key")
    button.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == secret_of(window)
    expect(page.locator("#live")).to_have_text("Copied")
    page.wait_for_timeout(2600)
    assert button.inner_text() == "Copy key"


def test_copying_that_is_refused_selects(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look)
    window.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error()))")
    window.page.get_by_role("button", name="Copy key").click()
    expect(window.page.locator("#live")).to_have_text("Selected. Press Ctrl or Command and C.")
    assert window.page.evaluate("getSelection().toString()") == secret_of(window)


def test_one_click_selects_all_of_it(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look)
    window.page.locator("output").click()
    assert window.page.evaluate("getSelection().toString()") == secret_of(window)


def test_the_clipboard_is_missing(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = stage(width=1280)
    window.page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })")
    window.show(look("reveal"))
    assert not window.page.locator("[data-copy]").is_visible()
    assert window.page.get_by_text("Select the text to copy it by hand.").is_visible()


def test_without_script(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look, java_script_enabled=False)
    assert not window.page.locator("[data-copy]").is_visible()
    assert window.page.locator("output").is_visible()
    window.page.get_by_text("How to use it").click()
    assert window.page.get_by_text("Authorization: Bearer").is_visible()


def leave(window: Stage, how: Callable[[], Any]) -> list[str]:
    """Try to leave and stay; return the questions that the browser asked."""
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    window.page.on("dialog", answer)
    how()
    window.page.wait_for_timeout(300)
    window.page.remove_listener("dialog", answer)
    return asked


@pytest.mark.parametrize("saved_by", ["", "button", "keyboard"])
def test_leaving_is_asked_about_once_and_only_before_it_is_copied(
    stage: Callable[..., Stage], look: Callable[..., Any], saved_by: str
) -> None:
    window = shown(stage, look, permissions=["clipboard-read", "clipboard-write"])
    page = window.page
    # Browsers ask only those who did something on the page.
    page.locator("output").click()
    if saved_by == "button":
        page.get_by_role("button", name="Copy key").click()
        page.get_by_role("button", name="Copied").wait_for()
    elif saved_by == "keyboard":
        page.keyboard.press("ControlOrMeta+c")

    def go() -> None:
        page.evaluate("void setTimeout(() => { location.href = '/shown/?next' })")

    assert leave(window, go) == ([] if saved_by else ["beforeunload"])
    if not saved_by:
        assert page.url == f"{ORIGIN}/shown/"
        assert leave(window, go) == []
    page.wait_for_url("**/shown/?next")


def test_whoever_saved_it_is_not_asked(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look)
    window.brand[window.page.locator("form[data-saved]").get_attribute("action") or ""] = window.response
    window.page.locator("output").click()
    assert leave(window, window.page.get_by_role("button", name="I’ve saved it").click) == []
    assert window.page.url.endswith("/saved/")


def test_the_secret_leaves_with_the_page(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look)
    window.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    assert window.page.locator("output").inner_text() == ""


def test_it_is_not_printed(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = shown(stage, look)
    assert not window.page.get_by_text("The key is not printed.").is_visible()
    window.page.emulate_media(media="print")
    assert window.page.get_by_text("The key is not printed.").is_visible()
    assert not window.page.locator("output").is_visible()
    assert window.page.get_by_text("Billing worker").last.is_visible()


def test_a_choice_is_hit_by_its_words(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=390).show(look("key-rotate"))
    page.get_by_text("In 15 minutes").click()
    assert page.get_by_role("radio", name="In 15 minutes").is_checked()
    group = page.get_by_role("radiogroup", name="Old secret stops working")
    assert group.get_by_role("radio").count() == 5


def test_the_summary_leads_to_the_field(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=390).show(look("key-rotate-used"))
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.get_by_role("alert").get_by_role("link").click()
    assert page.evaluate("document.activeElement.id") == "id_grace_0"
