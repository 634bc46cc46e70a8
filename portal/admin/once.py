"""Forms that make one row however often they are sent: a secret is shown once, so a reload must not make another."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from portal import tokens

__all__ = ["ONE_BUTTON", "SentOnceForm", "public_id"]

#: For the form's page: whichever button made the row, the next page is the one with its secret.
ONE_BUTTON = {"show_save_and_add_another": False, "show_save_and_continue": False}


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
