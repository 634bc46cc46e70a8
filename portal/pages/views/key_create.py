"""A new key (ui-spec 2.4, Create)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.errors import KeyAlreadyCreated, KeyLimitReached, KeyNameTaken
from portal.keystore.base import KeyQuery
from portal.pages.forms import CreateKeyForm
from portal.pages.key_list import limit_in_words

from .key_form import KeyFormPage
from .reveal import already_shown, reveal

__all__ = ["KeyCreate"]


class KeyCreate(KeyFormPage):
    """``<slug>/keys/new/``."""

    action = "create-key"
    capability = "keys:create"
    supports = "supports_create"
    template = "key_create.html"

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show an empty form, which can make one key; where there is no room for one, say so before it is filled in."""
        if full := self._full():
            return self.page(request, self.template, {"full": full}, status=409)
        return self.form_page(request, self._form(), once=tokens.nonce())

    @sensitive_variables("issued")
    def save(self, request: HttpRequest) -> HttpResponse:
        """Make the key and show its secret."""
        once = self.sent_request_id(request)
        form = self._form(request.POST)
        if not form.is_valid():
            return self.form_page(request, form, once=once)
        try:
            issued = self.keys.create(
                form.cleaned_data["name"],
                expires_at=form.expires_at(),
                permissions=tuple(form.cleaned_data.get("permissions", ())),
                request_id=once,
            )
        except KeyAlreadyCreated as error:
            return already_shown(self, request, error.key_id)
        except KeyNameTaken:
            form.name_is_taken()
            return self.form_page(request, form, once=once)
        except KeyLimitReached as error:
            form.add_error(None, limit_in_words(error.limit, error.limit))
            return self.form_page(request, form, status=409, once=once)
        return reveal(self, request, issued)

    def _full(self) -> str:
        """Return that the owner has as many keys as they may have, in words; empty while there is room for one more.

        Who may not see keys is not told how many there are before the store refuses another.
        """
        limit = self.keys.policy.limit
        if limit is None or not self.session.allows("keys:read"):
            return ""
        counts = self.keys.list(KeyQuery(1, with_counts=True)).counts
        assert counts is not None, "the guard holds a store to the counts that were asked for"  # noqa: S101
        return limit_in_words(counts.total, limit) if counts.total >= limit else ""

    def _form(self, data: Any = None) -> CreateKeyForm:
        return CreateKeyForm(
            data,
            policy=self.keys.policy,
            now=clock.now(),
            with_permissions=bool(self.keys.offered),
        )
