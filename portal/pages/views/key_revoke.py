"""The end of a key (ui-spec 2.4, Revoke)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from portal.pages.forms import RevokeKeyForm, used_in_words
from portal.pages.notes import Note, set_note
from portal.pages.usage_limit import counted, soon
from portal.pages.usage_place import WEEK, kept_ranges
from portal.pages.usage_words import requests

from .base import see_other_at
from .key_form import OneKeyFormPage

__all__ = ["KeyRevoke"]


class KeyRevoke(OneKeyFormPage):
    """``<slug>/keys/<id>/revoke/``."""

    action = "revoke-key"
    capability = "keys:delete"
    supports = "supports_revoke"
    template = "key_revoke.html"

    def show(self, request: HttpRequest) -> HttpResponse:
        """Ask whether they mean it."""
        return self._page(request, RevokeKeyForm())

    def save(self, request: HttpRequest) -> HttpResponse:
        """Revoke the key and lead to the others."""
        form = RevokeKeyForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        self.keys.revoke(self.key.id)
        response = see_other_at(request, self.came_from.url, self.config)
        set_note(response, request, self.session, Note("revoked", self.key.name))
        return response

    def _page(self, request: HttpRequest, form: RevokeKeyForm) -> HttpResponse:
        minutes = self.used_minutes()
        used = "" if minutes is None else used_in_words(minutes)
        return self.form_page(request, form, used=used, week=self._used_in_a_week())

    def _used_in_a_week(self) -> str:
        """Return how many requests there were in the last 7 days; empty where that cannot be said."""
        if not counted(self.keys) or WEEK not in kept_ranges():
            return ""
        usage = soon(self.keys, WEEK.window, [self.key.id])
        return "" if usage is None else requests(usage.total.total)
