"""What every page shares: the portal of its address, refusals as pages, no exception without a page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from portal import request_id
from portal.authenticate import AuthenticatedSession
from portal.conf import portal_settings
from portal.credentials import cookie_session
from portal.errors import PortalError, TooManyRequests
from portal.http import outside_atomic_requests
from portal.models import PortalConfig
from portal.outage import DATABASE_AWAY
from portal.pages.abilities import ABILITIES
from portal.pages.bodies import limit_body
from portal.pages.headers import add_page_headers
from portal.pages.refusals import REFUSED_BY_STORE, Refused, reason_without_session, refuse, refuse_too_many
from portal.portal_lookup import portal_at
from portal.throttle import count, count_failure

__all__ = ["PortalPage", "see_other", "see_other_at"]

logger = logging.getLogger("portal.pages")


class HttpResponseSeeOther(HttpResponseRedirect):
    """303: the answer to a POST is at another address, to be read with GET (RFC 9110 section 15.4.4)."""

    status_code = 303


def see_other(request: HttpRequest, name: str, config: PortalConfig, **arguments: str) -> HttpResponse:
    """Return a 303 to a page of this portal; never to another origin, which ``form-action`` would block.

    :param arguments: of the URL pattern, beside the slug.
    """
    return see_other_at(request, reverse(f"portal:{name}", kwargs={"slug": config.slug, **arguments}), config)


def see_other_at(request: HttpRequest, path: str, config: PortalConfig) -> HttpResponse:
    """Return a 303 to the page of this portal at ``path``.

    :param path: what ``reverse`` made, and after it only what a list of ours admits: another origin here would be an open
        redirect.
    """
    response = HttpResponseSeeOther(path)
    add_page_headers(response, request, config)
    return response


# Exempt from Django's CSRF check because pages/csrf.py does it, for reasons given there.
@method_decorator(csrf_exempt, name="dispatch")
class PortalPage(View):
    """A page below ``<slug>/``. Subclasses find the portal in ``self.config``."""

    config: PortalConfig
    #: Whether the page stands for a portal that is switched off.
    serve_closed = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view, outside a host's ATOMIC_REQUESTS, and open to people who are not the host's users."""
        view: Callable[..., HttpResponseBase] = outside_atomic_requests(super().as_view(**initkwargs))
        # LoginRequiredMiddleware would send every end user, with the code, to the host's own login page.
        view.login_required = False  # type: ignore[attr-defined]
        return view

    @method_decorator(sensitive_post_parameters("code"))
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the portal, run the method, and answer whatever goes wrong as a page."""
        request_id.ensure(request)
        config: PortalConfig | None = None
        try:
            try:
                limit_body(request)
                config = self._find(kwargs["slug"])
                self.config = config
                if not config.enabled and not self.serve_closed:
                    raise Refused("closed")
                return self.answer(request)
            except Refused as refusal:
                return self._refuse(request, refusal, config)
            except TooManyRequests as error:
                inside = self.current_session(request)
                return refuse_too_many(request, error, config, session=inside, code_in_url=self.code_in_url(request))
            except (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError):
                return self._refuse(request, Refused("bad_request"), config)
            except PortalError as error:
                reason = REFUSED_BY_STORE.get(type(error))
                if reason is None:
                    raise
                # What a page reads beside what it is for is a key; the rest is named by require_capability.
                response = self._refuse(request, Refused(reason, ability=ABILITIES["keys:read"]), config)
                for name, value in error.headers.items():
                    response[name] = value
                return response
        except Http404:
            # The host's page: the address is none of a portal's.
            raise
        except DATABASE_AWAY:
            logger.exception("The database refused a page")
            # Nothing here may ask the database again: no portal, no brand.
            response = refuse(request, "unavailable", None, code_in_url=self.code_in_url(request))
            response["Retry-After"] = "5"
            return response
        except Exception:
            logger.exception("A page failed")
            return refuse(request, "error", config, code_in_url=self.code_in_url(request))

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Run the method; a hook for what pages of one kind do around it. Exceptions become pages outside."""
        return super().dispatch(request)

    def _refuse(self, request: HttpRequest, refusal: Refused, config: PortalConfig | None) -> HttpResponse:
        inside = self.current_session(request) if config and config.enabled and refusal.reason != "dead_link" else None
        code_in_url = self.code_in_url(request)
        return refuse(request, refusal.reason, config, session=inside, code_in_url=code_in_url, **refusal.values)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the 405 page with ``Allow``."""
        response = self._refuse(request, Refused("method"), self.config)
        response["Allow"] = ", ".join(name.upper() for name in self.http_method_names)
        return response

    def code_in_url(self, request: HttpRequest) -> bool:
        """Say whether the address holds an exchange code."""
        # By the text: parsing a query can be refused, and this is asked while answering a refusal.
        return "session=" in request.META["QUERY_STRING"] or "code=" in request.META["QUERY_STRING"]

    def require_session(self, request: HttpRequest) -> AuthenticatedSession:
        """Return the browser's live session at this portal.

        :raises Refused: there is none; a form that came without one is told that it was not saved.
        :raises TooManyRequests: the session sends too many forms, or its address too many cookies that are no session's.
        """
        session = self.current_session(request)
        if session is None:
            if request.COOKIES.get(portal_settings.COOKIE_NAME):
                count_failure(request)
            raise Refused(reason_without_session(request, self.config))
        if request.method == "POST":
            count("page_write", session.id)
        return session

    def require_capability(self, request: HttpRequest, capability: str) -> AuthenticatedSession:
        """Return the session, which was granted ``capability``.

        :raises Refused: as for :meth:`require_session`; or it was not, and the page says which it is.
        """
        session = self.require_session(request)
        if not session.allows(capability):
            raise Refused("no_capability", ability=ABILITIES[capability])
        return session

    def current_session(self, request: HttpRequest) -> AuthenticatedSession | None:
        """Return the browser's live session at this portal, or None; one at another portal does not count."""
        session = cookie_session(request)
        return session if session and session.portal_pk == self.config.pk else None

    def _find(self, slug: str) -> PortalConfig:
        found = portal_at(slug)
        if found is None:
            raise Refused("unknown_slug")
        return found
