"""What went wrong on the way in, in the words of a developer whose test just failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import DisallowedHost
from django.urls import NoReverseMatch, reverse

from .html import Page

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse

__all__ = ["NO_PAGES", "PortalClientError", "explain"]

NO_PAGES = 'The pages of the portal are not in ROOT_URLCONF: path("portal/", include("portal.urls")) as its last line.'

#: Of an answer that is no page, such as the envelope of a refusal, in characters.
_LONGEST = 1000


class PortalClientError(AssertionError):
    """The portal, or what stands before it, did not let the browser do what the test asked for.

    :param response: the answer that said no; None when it did not come to a request.
    """

    def __init__(self, text: str, response: TestResponse | None = None) -> None:
        super().__init__(text)
        self.response = response


def explain(what: str, response: TestResponse) -> PortalClientError:
    """Return the error for an answer that is not what it should be: what it says, and why it may say so.

    :param what: what was asked, such as ``"The portal's link"``.
    """
    request: Any = response.wsgi_request
    # Without the query, which may hold a code.
    address = f"{request.scheme}://{request.META.get('HTTP_HOST', request.META['SERVER_NAME'])}{request.path}"
    text = f"{what} was answered at {address} with {response.status_code}{_quotation(response)}."
    return PortalClientError(" ".join(filter(None, [text, *_hints(response)])), response)


def _quotation(response: TestResponse) -> str:
    if "Location" in response.headers:
        return f", a redirect to {response.headers['Location'].partition('?')[0]}"
    page = Page(response)
    words = f"“{page.heading}” {page.text}" if page.heading else page.source[:_LONGEST]
    return f": {words.strip().removesuffix('.')}" if words else ""


def _hints(response: TestResponse) -> list[str]:
    request: Any = response.wsgi_request
    try:
        request.get_host()
    except DisallowedHost:
        host = request.META["HTTP_HOST"].partition(":")[0]
        return [
            f'ALLOWED_HOSTS refuses {host}. In the settings of the tests add it there, or let PORTAL["BASE_URL"] begin '
            "with http://testserver."
        ]
    hints = []
    if chain := getattr(response, "redirect_chain", []):
        hints.append(f"Redirects led there: {' → '.join(url.partition('?')[0] for url, _ in chain)}.")
    # Of the API, whose addresses are not BASE_URL's, no 404 is about where the portal is.
    if response.status_code == 404 and not response.headers["Content-Type"].startswith("application/json"):
        hints += _where_the_pages_are(request.path)
    return hints


def _where_the_pages_are(path: str) -> list[str]:
    try:
        mount = reverse("portal:home", kwargs={"slug": "slug"}).removesuffix("slug/")
    except NoReverseMatch:
        return [NO_PAGES, "Without pages, use token() in place of enter()."]
    if path.startswith(mount):
        return []
    return [f'ROOT_URLCONF has the portal at {mount}: does PORTAL["BASE_URL"] end in that?']
