"""A browser for tests that goes into a portal the way that a user does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Unpack
from urllib.parse import parse_qs, urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from portal.authenticate import AuthenticatedSession, authenticate_session
from portal.conf import portal_settings
from portal.errors import Forbidden, PortalConfigNotFound
from portal.origins import origin_of
from portal.session_options import SessionOptions
from portal.shortcuts import create_portal_url

from .failures import NO_PAGES, PortalClientError, explain
from .html import Form, Page

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse

__all__ = ["PortalClient"]


class PortalClient(Client):
    """Django's test client, which can also enter a portal, call its API and sign out.

    It has no back door: it reads the landing page's form and sends it with the cookies and the Origin of a browser, while
    Django's CSRF check is on. What a middleware, a setting or a missing URL breaks for users fails here, with a
    :class:`~portal.testing.PortalClientError` that says what was answered. Requests of its own go to the host of BASE_URL,
    if that is set; all others to ``testserver``, with the same cookies, as ever.
    """

    def enter(
        self, slug: str, external_id: str, permissions: Iterable[str], **options: Unpack[SessionOptions]
    ) -> TestResponse:
        """Mint a session and go in with it; return the first page inside.

        The browser holds the cookie afterwards, so views that ask for a session of the portal let it in. Arguments are
        those of :func:`portal.shortcuts.create_portal_url`.

        :raises PortalClientError: there is no such portal, it is disabled, or the way in is broken.
        :raises InvalidInput: an argument is not as described.
        """
        return self.follow(self._mint(slug, external_id, permissions, options))

    def follow(self, link: str | HttpResponseBase) -> TestResponse:
        """Go into the portal by a link that your own code made; return the first page inside.

        :param link: the one-time link, the answer of a view that redirects to it, or the landing page itself.
        :raises PortalClientError: it does not lead into a portal.
        """
        landing: Any = link
        address = link if isinstance(link, str) else link.headers.get("Location")
        if address is not None:
            landing = self._browse("get", urljoin(self._origin(), address))
        form = Page(landing).form("/enter/")
        if form is None:
            raise explain("The link into the portal", landing)
        inside = self._submit(landing, form)
        if not inside.redirect_chain:
            raise explain("The landing page's form", inside)
        if self.portal_session is None:
            raise explain(f"The first page inside, without the cookie {portal_settings.COOKIE_NAME},", inside)
        if inside.status_code != 200:
            raise explain("The first page inside", inside)
        return inside

    def token(self, slug: str, external_id: str, permissions: Iterable[str], **options: Unpack[SessionOptions]) -> str:
        """Mint a session and exchange it through the API; return the access token, for ``Authorization: Bearer``.

        The browser's own cookie stays as it is. Arguments are those of :meth:`enter`; the host may be without pages.

        :raises PortalClientError: there is no such portal, it is disabled, or the API refused.
        :raises InvalidInput: an argument is not as described.
        """
        (code,) = parse_qs(urlsplit(self._mint(slug, external_id, permissions, options)).query)["session"]
        return str(self.api("exchangeSession", {"sessionId": code})["data"]["token"])

    def api(self, operation: str, body: dict[str, Any] | None = None, *, token: str | None = None) -> dict[str, Any]:
        """Call an operation and return what it answers, parsed.

        :param operation: such as ``listKeys``, or with its group, ``keys.verifyKey``.
        :param body: the members of the JSON body.
        :param token: an access token or a root key to present; by default the browser's cookie is.
        :raises PortalClientError: the operation refused; ``response`` is the answer.
        """
        try:
            known = reverse("portal:createSession")
        except NoReverseMatch:
            raise PortalClientError("The API of the portal is not in ROOT_URLCONF: include portal.urls.") from None
        name = operation if "." in operation else f"portal.{operation}"
        origin = self._origin()
        response = self._browse(
            "post",
            urljoin(origin, known.removesuffix("portal.createSession") + name),
            {"Origin": origin} if token is None else {"Authorization": f"Bearer {token}"},
            data=body or {},
            content_type="application/json",
            follow=False,
        )
        if response.status_code != 200:
            raise explain(name, response)
        answer: dict[str, Any] = response.json()
        return answer

    @property
    def portal_session(self) -> AuthenticatedSession | None:
        """The live session of the browser's cookie, looked up at each call; None without one. ``session`` is Django's."""
        cookie = self.cookies.get(portal_settings.COOKIE_NAME)
        return authenticate_session(cookie.value) if cookie else None

    def sign_out(self) -> TestResponse:
        """Press “Sign out” and return the page that says so.

        :raises PortalClientError: nobody is signed in, or still somebody is.
        """
        session = self.portal_session
        if session is None:
            raise PortalClientError("Nobody is signed in to the portal.")
        page = self._browse("get", urljoin(self._origin(), reverse("portal:session", args=[session.portal_slug])))
        form = Page(page).form("/session/end/")
        if form is None:
            raise explain("The page with “Sign out”", page)
        left = self._submit(page, form)
        if self.portal_session is not None:
            raise explain("The form “Sign out”", left)
        return left

    def _mint(self, slug: str, external_id: str, permissions: Iterable[str], options: SessionOptions) -> str:
        try:
            return create_portal_url(slug, external_id, permissions, request=self._request(), **options)
        except PortalConfigNotFound:
            raise PortalClientError(f"There is no portal “{slug}”: make a PortalConfig in the test.") from None
        except Forbidden:
            raise PortalClientError(f"The portal “{slug}” is disabled.") from None
        except NoReverseMatch:
            raise PortalClientError(f'{NO_PAGES} If they are elsewhere, set PORTAL["BASE_URL"].') from None

    def _request(self) -> HttpRequest:
        defaults: Any = self.defaults
        return RequestFactory(**defaults).get("/", secure=settings.SECURE_SSL_REDIRECT)

    def _origin(self) -> str:
        """Return where the browser finds the portal: as BASE_URL says, else this client's own host."""
        return origin_of(portal_settings.BASE_URL or "") or self._request().build_absolute_uri("/").removesuffix("/")

    def _browse(
        self,
        method: Literal["get", "post"],
        url: str,
        headers: dict[str, str] | None = None,
        *,
        follow: bool = True,
        **body: Any,
    ) -> TestResponse:
        """Send what a browser would, to the host that ``url`` names, with every check on."""
        address = urlsplit(url)
        # As WSGI names them: what Django's client is told by ``secure`` is lost on a redirect to a path.
        names: dict[str, Any] = {
            "wsgi.url_scheme": address.scheme,
            "HTTP_HOST": address.netloc,
            "SERVER_PORT": str(address.port or (443 if address.scheme == "https" else 80)),
        }
        checks, self.handler.enforce_csrf_checks = self.handler.enforce_csrf_checks, True
        try:
            return getattr(self, method)(url, headers=headers, follow=follow, **body, **names)  # type: ignore[no-any-return]
        finally:
            self.handler.enforce_csrf_checks = checks

    def _submit(self, page: TestResponse, form: Form) -> TestResponse:
        """Press the form's button on ``page``."""
        url = page.wsgi_request.build_absolute_uri()
        address = urlsplit(url)
        headers = {"Origin": f"{address.scheme}://{address.netloc}", "Referer": url.partition("?")[0]}
        return self._browse("post", urljoin(url, form.action), headers, data=form.values)
