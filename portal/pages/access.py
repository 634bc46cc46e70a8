"""Protect a host's own plain Django views with the portal's session; public (design section 4)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from portal.credentials import present_session
from portal.errors import PortalError, TooManyRequests

from .refusals import refuse_too_many, refuse_without_session

__all__ = ["PortalSessionMixin", "portal_session_required"]


_ASYNC = "{} takes synchronous views; wrap an async one's data access instead."


def portal_session_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let only requests with a live portal session through to a function view; others get the portal's 401 page.

    Sets ``request.portal`` to the :class:`~portal.authenticate.AuthenticatedSession`. Header or cookie count as on the
    API. Django's CsrfViewMiddleware stays in charge of the view's forms. A host with several portals checks
    ``request.portal.portal_slug``.
    """
    if iscoroutinefunction(view):
        raise TypeError(_ASYNC.format("portal_session_required"))

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            request.portal, _ = present_session(request)  # type: ignore[attr-defined]
        except TooManyRequests as error:
            return refuse_too_many(request, error)
        except PortalError:
            return refuse_without_session(request)
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ("Cookie", "Authorization"))
        return response

    # The session of the portal takes the place of the host's login, also behind LoginRequiredMiddleware.
    guarded.login_required = False  # type: ignore[attr-defined]
    return guarded


class PortalSessionMixin:
    """The same for class-based views; put it left of ``View``."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view, open to people who are not the host's users.

        :raises TypeError: its handlers are ``async``.
        """
        if cls.view_is_async:  # type: ignore[attr-defined]
            raise TypeError(_ASYNC.format("PortalSessionMixin"))
        view: Callable[..., HttpResponseBase] = super().as_view(**initkwargs)  # type: ignore[misc]
        view.login_required = False  # type: ignore[attr-defined]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Dispatch with a live portal session only."""
        dispatch: Callable[..., HttpResponseBase] = super().dispatch  # type: ignore[misc]
        return portal_session_required(dispatch)(request, *args, **kwargs)
