"""Shows Django's responses in a real Chromium, headers and all, without a server: requests are answered in process."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Route

ORIGIN = "https://testserver"


class Stage:
    """One browser window. What its console says and what it asks other origins for is kept."""

    def __init__(self, browser: Browser, *, width: int, scheme: str = "light", **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.requests: list[str] = []
        self.response: Any = None
        self.brand: dict[str, Any] = {}
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.context.route("**/*", self._answer)

    def show(self, response: Any) -> Page:
        """Show a response of Django's test client."""
        self.response = response
        self.requests = []
        # Fetched here, because answering from playwright's callbacks would be on another database connection.
        brand = re.findall(r'href="(/[^"]+/(?:theme|icon)\.[^"]+)"', response.content.decode())
        # Added to what was there: Chromium may ask for a page's icon after the next page has come.
        self.brand |= {path: Client().get(path) for path in brand}
        self.page.goto(f"{ORIGIN}/shown/", wait_until="load")
        return self.page

    def close(self) -> None:
        self.context.close()

    def _listen(self, message: Any) -> None:
        # Chromium itself remarks on every refusal's status.
        if not message.text.startswith("Failed to load resource: the server responded with a status of"):
            self.complaints.append(message.text)

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        self.requests.append(url.path)
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            self.elsewhere.append(route.request.url)
            route.abort()
        elif url.path == "/shown/":
            self._fulfill(route, self.response)
        elif url.path.startswith("/static/"):
            kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
            path = finders.find(url.path.removeprefix("/static/"))
            assert isinstance(path, str), url.path
            route.fulfill(path=path, content_type=kinds[path.rpartition(".")[2]])
        else:
            self._fulfill(route, self.brand[url.path])

    def _fulfill(self, route: Route, response: Any) -> None:
        headers = {name: value for name, value in response.items() if name != "Content-Length"}
        route.fulfill(status=response.status_code, headers=headers, body=response.content)
