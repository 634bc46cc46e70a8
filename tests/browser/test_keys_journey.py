"""The keys pages in a real Chromium: the whole way of a person, with script and without, over both stores of ours."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from playwright.sync_api import BrowserContext, Page, expect

from portal.models import PortalConfig
from tests.pages.key_flow import stored
from tests.pages.shelf import empty_memory_store, put

from .conftest import NewBrowser
from .keys import address, create, go_in, secret_on, serve
from .steps import press, sees, session_cookie, sign_out, token

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("orm_beside_playwright")]


@pytest.fixture(params=["database", "memory"])
def config(request: pytest.FixtureRequest, live_server: Any, settings: Any) -> PortalConfig:
    """Return a portal that the live server serves from each store."""
    if request.param == "memory":
        empty_memory_store(settings)
    return serve(live_server, settings)


@pytest.fixture
def scripted(request: pytest.FixtureRequest) -> bool:
    """Say whether the test's browser has JavaScript."""
    return bool(request.node.callspec.params["browser"])


def copy(page: Page, *, by_button: bool) -> str:
    """Copy the secret, by the button or by selecting it; return what is then in the clipboard."""
    if by_button:
        page.get_by_role("button", name="Copy key").click()
        expect(page.locator("#live")).to_have_text("Copied")
    else:
        page.locator("output").click()
        page.keyboard.press("ControlOrMeta+c")
    return str(page.evaluate("navigator.clipboard.readText()"))


def everything(config: PortalConfig) -> list[Any]:
    """Return what the database holds of the portal's and the keys' tables, and the user's keys in whichever store."""
    models = [model for label in ("portal", "portal_keys") for model in apps.get_app_config(label).get_models()]
    return [list(model._base_manager.order_by("pk").values()) for model in models] + [stored(config)]


def test_the_whole_journey(live_server: Any, config: PortalConfig, browser: BrowserContext, scripted: bool) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    elsewhere: list[str] = []
    browser.on("request", lambda sent: sent.url.startswith(live_server.url) or elsewhere.append(sent.url))
    page = go_in(browser, live_server, config)
    first = create(page, "CI runner")
    expect(page.get_by_role("button", name="Copy key")).to_have_count(int(scripted))
    assert copy(page, by_button=scripted) == first
    press(page, "I’ve saved it")
    sees(page, "API keys")
    page.get_by_role("link", name="Rotate CI runner").click()
    sees(page, "Rotate CI runner")
    expect(page.get_by_role("radio", name="In 24 hours")).to_be_checked()
    press(page, "Rotate key")
    second = secret_on(page)
    assert second != first
    assert copy(page, by_button=False) == second
    press(page, "I’ve saved it")
    press(page, "End old secret now")
    expect(page.locator("main [role=status]")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^End old secret now"))).to_have_count(0)
    page.goto(address(live_server, "keys"))
    page.get_by_role("link", name="Edit CI runner").click()
    page.get_by_label("Name", exact=True).fill("Build server")
    press(page, "Save changes")
    sees(page, "Build server")
    page.get_by_role("link", name="Revoke", exact=True).click()
    press(page, "Revoke key")
    expect(page.get_by_role("alert")).to_contain_text("Tick the box to confirm")
    page.get_by_label("I understand that anything using this key will stop working.").check()
    press(page, "Revoke key")
    sees(page, "API keys")
    expect(page.locator("main")).to_contain_text("“Build server” was revoked.")
    expect(page.get_by_role("heading", name="No keys yet")).to_be_visible()
    sign_out(page)
    assert session_cookie(browser) is None
    assert elsewhere == []


def test_reloading_the_secret_shows_no_secret(live_server: Any, config: PortalConfig, browser: BrowserContext) -> None:
    page = go_in(browser, live_server, config)
    secret = create(page, "CI runner")
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.reload()
    assert answer.value.status == 409
    sees(page, "This key was already shown")
    expect(page.get_by_role("link", name="Rotate CI runner")).to_be_visible()
    assert secret not in page.content()
    assert secret not in str(browser.storage_state())


def test_two_tabs_edit_one_key(live_server: Any, config: PortalConfig, browser: BrowserContext) -> None:
    path = address(live_server, "key-edit", key_id=put(config, "CI runner").id)
    first = go_in(browser, live_server, config)
    second = browser.new_page()
    for page, name in ((first, "Build server"), (second, "Deploys")):
        page.goto(path)
        page.get_by_label("Name", exact=True).fill(name)
    press(first, "Save changes")
    sees(first, "Build server")
    press(second, "Save changes")
    expect(second.get_by_role("alert")).to_contain_text("This key changed while you were editing.")
    expect(second.locator(".facts")).to_contain_text("Build server")
    expect(second.get_by_label("Name", exact=True)).to_have_value("Deploys")
    press(second, "Save changes")
    sees(second, "Deploys")


def test_the_session_ends_in_the_middle_of_a_form(
    live_server: Any, config: PortalConfig, browser: BrowserContext
) -> None:
    page = go_in(browser, live_server, config)
    page.get_by_role("link", name="Create key").click()
    page.get_by_label("Name", exact=True).fill("CI runner")
    held = browser.cookies()
    browser.clear_cookies(name="portal_session")
    browser.add_cookies([{**one, "value": "pat_" + "0" * 43} for one in held if one["name"] == "portal_session"])
    press(page, "Create key")
    expect(page.locator("main")).to_contain_text("not saved")
    expect(page.locator("main").get_by_role("link")).to_have_attribute("href", re.compile(f"^{live_server.url}/"))


@pytest.mark.parametrize("form", ["key-create", "key-edit", "key-rotate", "key-revoke"])
def test_a_preview_changes_nothing(live_server: Any, config: PortalConfig, browser: BrowserContext, form: str) -> None:
    key = put(config, "CI runner", grace=timedelta(hours=1))
    page = go_in(browser, live_server, config, preview=True)
    before = everything(config)
    page.goto(address(live_server, form, **({} if form == "key-create" else {"key_id": key.id})))
    expect(page.locator("main")).to_contain_text("This is a preview. Changes are switched off")
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
    if form in {"key-create", "key-edit"}:
        page.get_by_label("Name", exact=True).fill("Build server")
    for box in page.locator("main").get_by_role("checkbox").all():
        box.set_checked(form == "key-revoke")
    # What no button does, a curious operator still can.
    page.locator("main form").evaluate("form => form.submit()")
    sees(page, "Changes are switched off")
    assert everything(config) == before


def test_a_preview_has_no_button_that_acts_at_once(
    live_server: Any, config: PortalConfig, browser: BrowserContext
) -> None:
    key = put(config, "CI runner", grace=timedelta(hours=1))
    page = go_in(browser, live_server, config, preview=True)
    for path in (address(live_server, "keys"), address(live_server, "key", key_id=key.id)):
        page.goto(path)
        expect(page.locator("main")).to_contain_text("Old secret ends")
        expect(page.get_by_role("button", name="End old secret now")).to_have_count(0)


def test_another_users_key_is_not_there(live_server: Any, config: PortalConfig, new_browser: NewBrowser) -> None:
    foreign = put(config, "Secret plans", external_id="user_456").id
    context = new_browser()
    go_in(context, live_server, config)
    for name in ("key", "key-edit", "key-rotate", "key-revoke"):
        theirs = context.request.get(address(live_server, name, key_id=foreign))
        nobodys = context.request.get(address(live_server, name, key_id=foreign[:-4] + "0000"))
        assert (theirs.status, theirs.text()) == (404, nobodys.text())


def test_a_deep_link_works_inside(live_server: Any, config: PortalConfig, browser: BrowserContext) -> None:
    key = put(config, "CI runner")
    page = go_in(browser, live_server, config)
    assert token(browser)
    page.goto(address(live_server, "key-rotate", key_id=key.id))
    sees(page, "Rotate CI runner")
