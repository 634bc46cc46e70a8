"""What the pages share that change keys: who may, whose form it is, and how a form is shown (ui-spec 2.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from portal import clock, tokens
from portal.authenticate import AuthenticatedSession
from portal.errors import KeyLocked
from portal.keystore.base import Key
from portal.pages.csrf import form_token, is_genuine
from portal.pages.key_display import KeyDisplay
from portal.pages.refusals import Refused
from portal.pages.render import page

from .keys_base import KeysPage

__all__ = ["KeyFormPage", "OneKeyFormPage"]

#: A key that was used within this time is in use: stopping it stops something.
_IN_USE = timedelta(hours=1)


class KeyFormPage(KeysPage):
    """A page with a form that writes. Subclasses show it in ``show`` and carry it out in ``save``."""

    http_method_names = ["get", "head", "post"]

    #: The form's action, one word.
    action: ClassVar[str]
    #: Which of the store's ``supports_`` flags the page needs; without it there is no such page.
    supports: ClassVar[str]
    template: ClassVar[str]

    @property
    def session(self) -> AuthenticatedSession:
        """The browser's session."""
        return self.keys.session

    def show(self, request: HttpRequest) -> HttpResponse:
        """Answer a GET."""
        raise NotImplementedError

    def save(self, request: HttpRequest) -> HttpResponse:
        """Answer a POST that is known to be this page's form."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Look at what both methods need."""
        if not getattr(self.keys.store, self.supports):
            raise Refused("not_found")

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        self.prepare()
        return self.show(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Carry the form out, if it is ours and the session is no preview."""
        if not is_genuine(request, self.session.id, self._what()):
            raise Refused("form_out_of_date")
        if self.session.preview:
            raise Refused("changes_off")
        self.prepare()
        return self.save(request)

    def form_page(self, request: HttpRequest, form: Form, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with ``form``; 422 where something is wrong with it, unless ``status`` says otherwise."""
        values = {"form": form, "form_token": form_token(self.session.id, self._what()), **context}
        return self.page(request, self.template, values, status=422 if form.errors and status == 200 else status)

    def page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """Return a page below the tab of keys."""
        values = {"came_from": self.came_from, **context}
        return page(request, template, self.config, values, status=status, session=self.session, tab="keys")

    @staticmethod
    def sent_request_id(request: HttpRequest) -> str:
        """Return what names this request to the store: a value that the form got when it was shown.

        :raises Refused: the form has none of ours.
        """
        value = request.POST.get("request_id", "")
        if not tokens.is_nonce(value):
            raise Refused("bad_request")
        return value

    def _what(self) -> str:
        # By key: the form of one key opens no other's.
        return f"{self.action}:{self.kwargs.get('key_id', '')}"


class OneKeyFormPage(KeyFormPage):
    """The same for a page about one key, which is in ``self.key``."""

    key: Key

    def prepare(self) -> None:
        """Find the key.

        :raises ApiKeyNotFound: there is none.
        :raises KeyLocked: nothing can be done with it.
        """
        super().prepare()
        self.key = self.own_key()
        if self.key.locked:
            raise KeyLocked

    def form_page(self, request: HttpRequest, form: Form, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with ``form`` and the key."""
        return super().form_page(request, form, status=status, shown=KeyDisplay.of(self.keys, self.key), **context)

    def used_minutes(self) -> int | None:
        """Return how many whole minutes ago the key was used; None for more than an hour ago, or never."""
        if self.key.last_used_at is None:
            return None
        ago = clock.now() - self.key.last_used_at
        return None if ago >= _IN_USE else max(0, ago // timedelta(minutes=1))
