"""What the script adds to the forms about keys."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal import clock
from portal.keystore.usage import DAY
from portal.models import PortalConfig
from tests.pages.key_flow import stored
from tests.pages.shelf import put

from .conftest import NewBrowser
from .keys import address, go_in, serve
from .steps import press, sees

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("orm_beside_playwright")]


@pytest.fixture
def config(live_server: Any, settings: Any) -> PortalConfig:
    return serve(live_server, settings)


@pytest.fixture
def page(live_server: Any, config: PortalConfig, new_browser: NewBrowser) -> Page:
    return go_in(new_browser(), live_server, config)


def test_a_date_that_is_filled_in_is_chosen(live_server: Any, config: PortalConfig, page: Page) -> None:
    page.goto(address(live_server, "key-create"))
    day = (clock.now() + 20 * DAY).date()
    page.get_by_label("Name", exact=True).fill("CI runner")
    page.get_by_label("Date", exact=True).fill(day.isoformat())
    expect(page.get_by_role("radio", name="On a date")).to_be_checked()
    press(page, "Create key")
    sees(page, "Copy your new key now")
    (key,) = stored(config)
    assert key.expires_at is not None
    assert key.expires_at.date() == day


def test_a_choice_after_a_date_empties_it(live_server: Any, config: PortalConfig, page: Page) -> None:
    page.goto(address(live_server, "key-edit", key_id=put(config, "CI runner").id))
    date = page.get_by_label("Date", exact=True)
    date.fill((clock.now() + 20 * DAY).date().isoformat())
    page.get_by_label("Name", exact=True).fill("Build server")
    expect(date).not_to_have_value("")
    page.get_by_role("radio", name="On a date").press("ArrowUp")
    expect(page.get_by_role("radio", name="1 year")).to_be_checked()
    expect(date).to_have_value("")
    press(page, "Save changes")
    sees(page, "Build server")


def test_an_emptied_date_chooses_nothing(live_server: Any, page: Page) -> None:
    page.goto(address(live_server, "key-create"))
    date = page.get_by_label("Date", exact=True)
    date.fill("2040-01-01")
    page.get_by_role("radio", name="30 days").check()
    date.dispatch_event("input")
    expect(page.get_by_role("radio", name="30 days")).to_be_checked()
