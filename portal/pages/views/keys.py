"""The list of a user's API keys (ui-spec 2.4, Keys)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import KeyCounts, KeyFilter, KeyPage, KeyQuery
from portal.keystore.listing import filters_of
from portal.pages.csrf import form_token
from portal.pages.key_display import KeyDisplay
from portal.pages.key_list import Column, KeyPlace, limit_in_words
from portal.pages.key_row import key_rows
from portal.pages.notes import pop_note, read_note
from portal.pages.render import page
from portal.pages.usage_limit import counted, soon, soon_if_ever
from portal.pages.usage_place import month

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
        shown, sort_limit = month(), self.keys.store.usage_sort_limit if counted(self.keys) else 0
        asked = KeyPlace.of(path, request.GET, shown.window.start if sort_limit else None)
        place, found = self._read(asked)
        counts, now = found.counts, clock.now()
        assert counts is not None, "the guard holds a store to the counts that were asked for"  # noqa: S101
        with_usage = counted(self.keys) and bool(found.keys)
        unsorted = place.sort != asked.sort and counts.total <= sort_limit
        # The order comes from the same counts: who has waited for it in vain does not wait for them as well.
        may_ask = with_usage and not unsorted
        usage = soon(self.keys, shown.window, [key.id for key in found.keys]) if may_ask else None
        may_create = self.keys.store.supports_create and session.allows("keys:create")
        limit = self.keys.policy.limit
        full = may_create and limit is not None and counts.total >= limit
        columns = [
            place.column(_("Key"), "name", _("Name")),
            Column(_("Status")),
            # What people look for there is their busiest keys.
            place.column(shown.last, "usage", _("Use"), down_first=True)
            if counts.total <= sort_limit
            else Column(shown.last if with_usage else _("Last used")),
            place.column(_("Expires"), "expires", _("Expires")),
        ]
        response = page(
            request,
            "keys.html",
            self.config,
            {
                "note": (note := read_note(request, session)),
                "attention": list(self._attention(place, found, counts, now)),
                "may_create": may_create,
                "limit": limit_in_words(counts.total, limit) if limit is not None and full else "",
                "total": counts.total,
                "place": place,
                "filters": place.filters(counts),
                "columns": columns,
                "orders": place.orders(columns) if counts.total > 1 else [],
                "rows": key_rows(self.keys, found.keys, usage, now, suffix=place.suffix),
                "with_usage": with_usage,
                "usage_missing": with_usage and usage is None,
                "unsorted": unsorted,
                "usage_label": shown.last,
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
        """Return the page of ``place``, or the newest keys where it is by use and there are too many or no counts now."""
        if not place.query.by_usage:
            return self._page_or_first(place)
        found = soon_if_ever(self.keys, lambda: self._page_or_first(place))
        return found or (place.newest, self.keys.list(place.newest.query))

    def _page_or_first(self, place: KeyPlace) -> tuple[KeyPlace, KeyPage]:
        """Return the page of ``place``; the first one in the same order where its cursor leads nowhere any more."""
        if place.cursor:
            with suppress(InvalidInput):
                found = self.keys.list(place.query)
                if found.keys:
                    return place, found
        first = replace(place, cursor="")
        return first, self.keys.list(first.query)

    def _attention(self, place: KeyPlace, found: KeyPage, counts: KeyCounts, now: datetime) -> Iterator[Attention]:
        may_ask = True
        for wanted, count in ((KeyFilter.EXPIRING, counts.expiring), (KeyFilter.OLD_IN_USE, counts.old_in_use)):
            if count == 0 or place.filter is wanted:
                continue
            one = [key for key in found.keys if wanted in filters_of(key, now)] if count == 1 else []
            if count == 1 and not one and may_ask:
                # It is on another page. One question at most: the page may have eight statements (ui-spec 2.13).
                one, may_ask = list(self.keys.list(KeyQuery(1, filter=wanted)).keys), False
            shown = KeyDisplay.of(self.keys, one[0], now) if one else None
            yield Attention(wanted.value, shown, count, KeyPlace(place.path, filter=wanted).url)
