"""Showing a secret once, in the answer to the POST that made it, and never again (ui-spec 2.4, Reveal once)."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.errors import ApiKeyNotFound
from portal.keystore.base import IssuedKey, Key
from portal.pages.cookies import WayBack, remember_way_back
from portal.pages.key_display import KeyDisplay

from .base import PortalPage, see_other
from .key_form import KeyFormPage

__all__ = ["KeySaved", "already_shown", "reveal"]


class _Secret:
    """A secret for a template: written out where it stands, masked where variables are listed, as in an error report."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __str__(self) -> str:
        return self._secret

    def __repr__(self) -> str:
        return tokens.mask(self._secret)


@sensitive_variables("issued", "secret", "context")
def reveal(view: KeyFormPage, request: HttpRequest, issued: IssuedKey, *, before: Key | None = None) -> HttpResponse:
    """Return the page with the secret. It is in this answer and nowhere else: no cookie, session, message, log, address.

    :param before: the key as it was, if it was rotated.
    """
    key, secret = issued
    shown = KeyDisplay.of(view.keys, key, clock.now())
    context = {
        "secret": _Secret(secret),
        "shown": shown,
        "before": before and KeyDisplay.of(view.keys, before, shown.now),
    }
    return view.page(request, "reveal.html", context)


def already_shown(view: KeyFormPage, request: HttpRequest, key_id: str) -> HttpResponse:
    """Return the page that says that the form was carried out before, and how to get a new secret.

    :param key_id: the key that the form made or rotated; it may be gone by now.
    """
    shown = None
    if view.session.allows("keys:read"):
        with suppress(ApiKeyNotFound):
            shown = KeyDisplay.of(view.keys, view.keys.get(key_id))
    return view.page(request, "already_shown.html", {"shown": shown}, status=409)


class KeySaved(PortalPage):
    """``<slug>/keys/<id>/saved/``: leads from the secret to the keys. POST only, so that Back asks before it repeats."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Lead to the keys; nothing is written."""
        response = see_other(request, "keys", self.config)
        if session := self.current_session(request):
            # A cookie that is set, as after signing out, where Chromium was seen to show a page again from its back-forward
            # cache without one.
            remember_way_back(response, request, WayBack(self.config.slug, session.return_url))
        return response
