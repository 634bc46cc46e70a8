"""What a person does with keys, in the words of the tests; for a portal that the live server serves in process."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from playwright.sync_api import BrowserContext, Page

from portal.models import PortalConfig
from tests.factories import PortalConfigFactory, mint

from .steps import press, sees


def serve(live_server: Any, settings: Any) -> PortalConfig:
    """Return a portal at the live server's address; its keys are in the store of the settings."""
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": live_server.url}
    return PortalConfigFactory(slug="my-portal", return_url=f"{live_server.url}/", return_origins=[live_server.url])


def link_in(live_server: Any, config: PortalConfig, **options: Any) -> str:
    """Return a fresh link into the portal."""
    return f"{live_server.url}/my-portal/?session={mint(config, **options).secret}"


def go_in(context: BrowserContext, live_server: Any, config: PortalConfig, **options: Any) -> Page:
    """Open a fresh link and continue."""
    page = context.new_page()
    page.goto(link_in(live_server, config, **options))
    press(page, "Continue")
    sees(page, "API keys")
    return page


def address(live_server: Any, name: str, **values: str) -> str:
    return str(live_server.url) + reverse(f"portal:{name}", kwargs={"slug": "my-portal", **values})


def secret_on(page: Page) -> str:
    sees(page, "Copy your new key now")
    return page.locator("output").inner_text()


def create(page: Page, name: str) -> str:
    """Create a key and return its secret; the page that shows it stays open."""
    page.get_by_role("link", name="Create key").click()
    page.get_by_label("Name", exact=True).fill(name)
    press(page, "Create key")
    return secret_on(page)
