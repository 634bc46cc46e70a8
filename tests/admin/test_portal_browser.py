"""The admin of portals in a real Chromium under a strict policy: nothing is blocked, everything works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from portal.models import PortalConfig, PortalSession
from tests.browser.conftest import ARGUMENTS, TIMEOUT, _executable
from tests.factories import PortalConfigFactory, mint

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop running in this thread; the ORM is used beside it, not from it.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=_executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser, operator: Any, live_server: Any, settings: Any) -> Iterator[Callable[..., Page]]:
    """Return a function that opens the operator's browser. At the end no console may have complained."""
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": live_server.url}
    settings.MIDDLEWARE = ["tests.admin.policy.strict_policy", *settings.MIDDLEWARE]
    complaints: list[str] = []
    contexts = []

    def listen(message: Any) -> None:
        # The admin has no icon, and Chromium asks for one.
        if not message.location["url"].endswith("/favicon.ico"):
            complaints.append(message.text)

    def new(**options: Any) -> Page:
        context = chromium.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(TIMEOUT)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.add_cookies(
            [{"name": "sessionid", "value": operator.cookies["sessionid"].value, "url": live_server.url}]
        )
        contexts.append(context)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def portal(window: Any) -> PortalConfig:
    config = PortalConfigFactory(
        slug="my-portal", primary_color="#0f6b4f", allowed_origins=["https://shop.example.com"]
    )
    mint(config)
    return config


def url(config, page="change"):
    return f"/admin/portal/portalconfig/{config.pk}/{page}/"


def test_every_page_shows_without_a_complaint(window, portal):
    page = window()
    for name in ("change", "preview", "guide", "disable", "delete", "history"):
        page.goto(url(portal, name))
        expect(page.locator("h1").last).to_be_visible()
    page.goto("/admin/portal/portalconfig/add/")
    expect(page.locator("#id_slug")).to_be_visible()


def test_the_picker_fills_in_the_text_and_follows_it(window, portal):
    page = window()
    page.goto(url(portal))
    picker, text = page.get_by_label("Pick a color"), page.locator("#id_primary_color")
    expect(picker).to_have_value("#0f6b4f")
    text.fill("#2563EB")
    expect(picker).to_have_value("#2563eb")
    text.fill("")
    page.goto("/admin/portal/portalconfig/add/")
    # What an empty field shows as an example, and not black; it is not sent.
    expect(picker).to_have_value("#2563eb")
    expect(text).to_have_value("")
    page.goto(url(portal))
    text.fill("")
    picker.fill("#ff0000")
    expect(text).to_have_value("#ff0000")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".portal-contrast p")).to_contain_text("#ff0000")
    portal.refresh_from_db()
    assert portal.primary_color == "#ff0000"


def test_without_script_the_text_alone_is_there(window, portal):
    page = window(java_script_enabled=False)
    page.goto(url(portal))
    expect(page.locator("input[type=color]")).to_be_hidden()
    page.locator("#id_primary_color").fill("#ff0000")
    page.locator("#id_return_origins").fill("https://app.example.com\nhttps://b.example.com")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist")).to_contain_text("changed successfully")
    portal.refresh_from_db()
    assert portal.primary_color == "#ff0000"
    assert portal.return_origins == ["https://app.example.com", "https://b.example.com"]


def test_disabling_by_hand(window, portal):
    page = window()
    page.goto(url(portal))
    page.get_by_label("Enabled").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("h1").last).to_have_text("Switch the portal off?")
    page.get_by_role("link", name="No, take me back").click()
    expect(page.get_by_label("Enabled")).to_be_checked()
    page.get_by_label("Enabled").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Yes, switch it off").click()
    expect(page.get_by_label("Enabled")).not_to_be_checked()
    assert not PortalSession.objects.live().exists()


def test_a_preview_opens_in_a_new_tab_and_says_that_it_is_one(window, portal):
    page = window()
    page.goto(url(portal))
    page.get_by_role("link", name="Open preview").click()
    page.get_by_role("button", name="Make a preview link").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the portal in a new tab").click()
    tab = opened.value
    tab.wait_for_url("**/my-portal/keys/")
    assert tab.title().startswith("Preview:")
    expect(page.locator("h1").last).to_have_text("Open preview")


def test_a_new_root_key_is_copied_by_a_button(window):
    page = window(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/admin/portal/rootkey/add/")
    page.locator("#id_name").fill("Backend")
    page.locator("[name=mint][value=all]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#portal-key").input_value()
    assert page.locator("#portal-key").input_value().startswith("prk_")


def test_without_a_script_there_is_no_button_to_copy(window):
    page = window(java_script_enabled=False)
    page.goto("/admin/portal/rootkey/add/")
    page.locator("#id_name").fill("Backend")
    page.locator("[name=mint][value=all]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#portal-key")).to_be_visible()
    expect(page.locator("button[data-copy]")).to_be_hidden()
