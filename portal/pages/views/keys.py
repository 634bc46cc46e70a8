"""The list of a user's API keys (ui-spec 2.4, Keys)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import KeyCounts, KeyFilter, KeyPage, KeyQuery
from portal.pages.csrf import form_token
from portal.pages.key_display import KeyDisplay
from portal.pages.key_list import Column, KeyPlace
from portal.pages.notes import pop_note, read_note
from portal.pages.render import page

from .key import END_OLD
from .keys_base import KeysPage

__all__ = ["KeyList"]


class Attention(NamedTuple):
    """What a notice says: about one key, or about so many that a link shows.

    :param what: a :class:`~portal.keystore.base.KeyFilter`.
    """

    what: str
    one: KeyDisplay | None
    number: int
    url: str


class KeyList(KeysPage):
    """``<slug>/keys/``."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of keys."""
        session = self.keys.session
        path = reverse("portal:keys", args=[self.config.slug])
        place, found = self._read(KeyPlace.of(path, request.GET))
        counts, now = found.counts, clock.now()
        assert counts is not None, "the guard holds a store to the counts that were asked for"  # noqa: S101
        may_create = self.keys.store.supports_create and session.allows("keys:create")
        limit = self.keys.policy.limit
        response = page(
            request,
            "keys.html",
            self.config,
            {
                "note": (note := read_note(request, session)),
                "attention": list(self._attention(place, counts, now)),
                "may_create": may_create,
                "limit": limit if may_create and limit is not None and counts.total >= limit else None,
                "total": counts.total,
                "place": place,
                "filters": place.filters(counts),
                "columns": [
                    place.column(_("Key"), "name"),
                    Column(_("Status")),
                    Column(_("Last used")),
                    place.column(_("Expires"), "expires"),
                ],
                "rows": [KeyDisplay.of(self.keys, key, now) for key in found.keys],
                "matching": found.matching,
                "pages": place.pages(found),
                "end_old_token": form_token(session.id, END_OLD),
            },
            session=session,
            tab="keys",
        )
        if note:
            pop_note(response, request)
        return response

    def _read(self, place: KeyPlace) -> tuple[KeyPlace, KeyPage]:
        """Return the page of ``place``; the first one where its cursor leads nowhere any more."""
        try:
            found = self.keys.list(place.query)
        except InvalidInput:
            found = KeyPage(())
        if place.cursor and not found.keys:
            place = replace(place, cursor="")
            found = self.keys.list(place.query)
        return place, found

    def _attention(self, place: KeyPlace, counts: KeyCounts, now: datetime) -> Iterator[Attention]:
        for wanted, count in ((KeyFilter.EXPIRING, counts.expiring), (KeyFilter.OLD_IN_USE, counts.old_in_use)):
            if count == 0 or place.filter is wanted:
                continue
            one = None
            if count == 1:
                # By a query of its own: it may be on another page.
                only = self.keys.list(KeyQuery(1, filter=wanted)).keys
                one = KeyDisplay.of(self.keys, only[0], now) if only else None
            yield Attention(wanted.value, one, count, KeyPlace(place.path, filter=wanted).url)
