"""Another name, end, switch or permissions for a key (ui-spec 2.4, Edit)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal import clock
from portal.errors import KeyChangedMeanwhile, KeyNameTaken
from portal.pages.forms import EditKeyForm
from portal.pages.notes import Note, set_note

from .base import see_other_at
from .key_form import OneKeyFormPage

__all__ = ["KeyEdit"]


class KeyEdit(OneKeyFormPage):
    """``<slug>/keys/<id>/edit/``."""

    action = "edit-key"
    capability = "keys:update"
    supports = "supports_update"
    template = "key_edit.html"

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show the key's values."""
        return self._page(request, self._form(), version=self.key.version)

    def save(self, request: HttpRequest) -> HttpResponse:
        """Write what differs and lead to the key; nothing is written if it changed since the form was shown."""
        version = request.POST.get("version", "")
        form = self._form(request.POST)
        if not form.is_valid():
            return self._page(request, form, version=version)
        changes = form.changes()
        try:
            if changes:
                self.keys.update(self.key.id, changes, version=version)
        except KeyNameTaken:
            form.name_is_taken()
            return self._page(request, form, version=version)
        except KeyChangedMeanwhile:
            return self._conflict(request)
        url = reverse("portal:key", args=[self.config.slug, self.key.id])
        response = see_other_at(request, url + self.came_from.suffix, self.config)
        set_note(response, request, self.session, Note("saved"))
        return response

    def _conflict(self, request: HttpRequest) -> HttpResponse:
        """Show both: what was typed, in the form, and the values of now, which saving again writes over."""
        self.prepare()
        form = self._form(request.POST)
        form.add_error(None, _("This key changed while you were editing. Check the values and save again."))
        return self._page(request, form, version=self.key.version, status=409)

    def _page(self, request: HttpRequest, form: EditKeyForm, *, version: str, status: int = 200) -> HttpResponse:
        return self.form_page(request, form, status=status, version=version, conflict=status == 409)

    def _form(self, data: Any = None) -> EditKeyForm:
        return EditKeyForm(
            data,
            key=self.key,
            policy=self.keys.policy,
            now=clock.now(),
            with_permissions=bool(self.keys.offered),
        )
