"""Forms that make one row however often they are sent: a secret is shown once, so a reload must not make another."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal import tokens

from .confirm import refused_page

__all__ = ["SentOnceAdmin", "SentOnceForm", "public_id"]

# For the form's page: whichever button made the row, the next page is the one with its secret.
_ONE_BUTTON = {"show_save_and_add_another": False, "show_save_and_continue": False}


def public_id(request: HttpRequest, request_id: str, prefix: str) -> str:
    """Return the public id of the row that this sending of a form makes: the table's unique constraint stops a second.

    :param prefix: of the kind of row.
    """
    value = f"{request.user.pk}:{request_id}"
    digest = salted_hmac("portal.admin.once", prefix + value, algorithm="sha256").digest()
    return prefix + tokens.base62(int.from_bytes(digest[:16]), 22)


class SentOnceForm(forms.Form):
    """A form that knows itself again; a base beside others."""

    #: The same in every sending of one form.
    request_id = forms.CharField(initial=tokens.nonce, widget=forms.HiddenInput)

    def clean_request_id(self) -> str:
        """Refuse what is not from our form."""
        value: str = self.cleaned_data["request_id"]
        if not tokens.is_nonce(value):
            raise ValidationError(_("Open this form again."), code="request_id")
        return value


class SentOnceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin of rows that a :class:`SentOnceForm` makes under their :func:`public_id`."""

    #: What the public ids of its rows begin with.
    id_prefix: ClassVar[str]
    #: The title of the page that says that a row was made before.
    made_before: ClassVar[Promise]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Make a key and show its secret; the same form sent again is told so and makes none."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if made := self._made_by_this_form(request):
            return self._made_before(request, made)
        try:
            return super().add_view(request, form_url, {**_ONE_BUTTON, **(extra_context or {})})
        except (DatabaseError, ValidationError):
            # The same form was sent twice at the same time, and the other was first.
            if made := self._made_by_this_form(request):
                return self._made_before(request, made)
            raise

    def _made_by_this_form(self, request: HttpRequest) -> Any:
        request_id = request.POST.get("request_id", "")
        if not request_id:
            return None
        rows: Any = self.model._default_manager
        return rows.filter(public_id=public_id(request, request_id, self.id_prefix)).first()

    def _made_before(self, request: HttpRequest, key: Any) -> HttpResponse:
        text = _("This key was created already, and its secret was shown then. Rotate the key to get a new one.")
        return self.refused(request, key, str(self.made_before), text)

    def page_of(self, key: Any) -> str:
        """Return the address of the key's page."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[key.pk], current_app=self.admin_site.name)

    def refused(self, request: HttpRequest, key: Any, title: str, text: str) -> HttpResponse:
        """Answer 409 with the reason why nothing was done, and a way to the key."""
        return refused_page(self, request, title, original=key, text=text, page=self.page_of(key))
