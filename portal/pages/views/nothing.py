"""Every other address below a portal: the branded page that says that there is nothing (ui-spec 2.4, Error pages)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.decorators import method_decorator
from django.views.decorators.common import no_append_slash
from django.views.decorators.csrf import csrf_exempt

from portal.authenticate import AuthenticatedSession
from portal.models import PortalConfig
from portal.pages.refusals import Refused

from .base import PortalPage

__all__ = ["Nothing"]


# Exempt as every page is: Django looks at the method that is the view's, and that is the one below.
@method_decorator([csrf_exempt, no_append_slash], name="dispatch")
class Nothing(PortalPage):
    """``<slug>/…``, whatever the method. Below what is no portal it is the host's own 404, as without this view."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead to the page that a slash at the end makes of the address, as CommonMiddleware does where no view answers."""
        path = request.path_info
        if settings.APPEND_SLASH and not path.endswith("/") and _is_there(f"{path}/", request):
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Say that there is no such page."""
        raise Refused("no_page")

    def current_session(self, request: HttpRequest) -> AuthenticatedSession | None:
        """Return None: a cache may take the address for a file, so the page names nobody (security requirement 32)."""
        return None

    def _find(self, slug: str) -> PortalConfig:
        try:
            return super()._find(slug)
        except Refused:
            raise Http404 from None


def _is_there(path: str, request: HttpRequest) -> bool:
    """Say whether another view than this one, which answers whatever ends with a slash as well, answers at ``path``."""
    return getattr(resolve(path, getattr(request, "urlconf", None)).func, "should_append_slash", True)
