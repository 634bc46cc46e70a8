"""A new secret for a key (ui-spec 2.4, Rotate)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.errors import KeyAlreadyCreated, KeyNotActive
from portal.keystore.base import KeyState
from portal.pages.forms import RotateKeyForm
from portal.pages.key_display import KeyDisplay

from .key_form import OneKeyFormPage
from .reveal import already_shown, reveal

__all__ = ["KeyRotate"]


class KeyRotate(OneKeyFormPage):
    """``<slug>/keys/<id>/rotate/``."""

    action = "rotate-key"
    capability = "keys:reroll"
    supports = "supports_reroll"
    template = "key_rotate.html"

    def show(self, request: HttpRequest) -> HttpResponse:
        """Ask how long the old secret keeps working."""
        if self.key.state(clock.now()) is not KeyState.ACTIVE:
            return self._not_active(request)
        return self.form_page(request, self._form(), once=tokens.nonce())

    @sensitive_variables("issued")
    def save(self, request: HttpRequest) -> HttpResponse:
        """Rotate the key and show its new secret."""
        once = self.sent_request_id(request)
        form = self._form(request.POST)
        if not form.is_valid():
            return self.form_page(request, form, once=once)
        try:
            issued = self.keys.reroll(self.key.id, grace=form.period(), request_id=once)
        except KeyAlreadyCreated as error:
            return already_shown(self, request, error.key_id)
        except KeyNotActive:
            return self._not_active(request)
        return reveal(self, request, issued, before=self.key)

    def _not_active(self, request: HttpRequest) -> HttpResponse:
        self.prepare()
        shown = KeyDisplay.of(self.keys, self.key)
        expired = self.key.state(shown.now) is KeyState.EXPIRED
        return self.page(request, "key_not_active.html", {"shown": shown, "expired": expired}, status=409)

    def _form(self, data: Any = None) -> RotateKeyForm:
        return RotateKeyForm(
            data,
            policy=self.keys.policy,
            now=clock.now(),
            supports_grace=self.keys.store.supports_grace,
            used_minutes=self.used_minutes(),
            in_frame=bool(self.config.frame_ancestors),
        )
