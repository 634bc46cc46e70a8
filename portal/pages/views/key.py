"""One API key (ui-spec 2.4, Key), and the end of its old secret."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from portal.keystore.base import Key
from portal.pages.csrf import form_token, is_genuine
from portal.pages.key_display import KeyDisplay
from portal.pages.notes import Note, pop_note, read_note, set_note
from portal.pages.refusals import Refused
from portal.pages.render import page
from portal.pages.usage_chart import chart_of
from portal.pages.usage_limit import counted, soon
from portal.pages.usage_place import UsagePlace, month
from portal.pages.usage_words import requests

from .base import see_other
from .keys_base import KeysPage

__all__ = ["END_OLD", "EndOldSecret", "KeyPage"]

#: The action of the forms that end an old secret.
END_OLD = "end-old-secret"


class KeyPage(KeysPage):
    """``<slug>/keys/<id>/``."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the key."""
        session, key = self.keys.session, self.own_key()
        with_usage, shown = counted(self.keys), month()
        usage = soon(self.keys, shown.window, [key.id]) if with_usage else None
        response = page(
            request,
            "key.html",
            self.config,
            {
                "note": (note := read_note(request, session)),
                "came_from": self.came_from,
                "shown": KeyDisplay.of(self.keys, key),
                "has_permissions": bool(self.keys.offered),
                "with_usage": with_usage,
                "usage_missing": with_usage and usage is None,
                "usage_label": shown.last,
                "only_refused": shown.only_refused(usage.total) if usage else "",
                "usage_total": requests(usage.total.total) if usage else "",
                "usage_url": UsagePlace(reverse("portal:usage", args=[self.config.slug]), shown, key.id).url,
                "chart": chart_of(usage) if usage else None,
                "end_old_token": form_token(session.id, END_OLD),
            },
            session=session,
            tab="keys",
        )
        if note:
            pop_note(response, request)
        return response


class EndOldSecret(KeysPage):
    """``<slug>/keys/<id>/end-old/``: ends the secret from before the last rotation, ahead of its time. POST only."""

    http_method_names = ["post"]
    capability = "keys:reroll"

    def post(self, request: HttpRequest) -> HttpResponse:
        """End it and lead to the key; one that is known to be in use asks first."""
        if not is_genuine(request, self.keys.session.id, END_OLD):
            raise Refused("form_out_of_date")
        if self.keys.session.preview:
            raise Refused("changes_off")
        if not self.keys.store.supports_reroll:
            raise Refused("not_found")
        key = self.own_key()
        if self._breaks_something(key) and request.POST.get("confirmed") != "1":
            return self._ask(request, key)
        self.keys.end_old_secret(key.id)
        response = see_other(request, "key", self.config, key_id=key.id)
        set_note(response, request, self.keys.session, Note("old_ended", key.name))
        return response

    def _breaks_something(self, key: Key) -> bool:
        # In a frame a press may be meant for something that another site laid over it (security requirement 34).
        return key.old_secret is not None and (key.old_secret.in_use or bool(self.config.frame_ancestors))

    def _ask(self, request: HttpRequest, key: Key) -> HttpResponse:
        return page(
            request,
            "key_end_old.html",
            self.config,
            {"shown": KeyDisplay.of(self.keys, key), "end_old_token": form_token(self.keys.session.id, END_OLD)},
            session=self.keys.session,
            tab="keys",
        )
