"""How often the user's keys were used (ui-spec 2.4, Usage), as a page and as a file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from portal.conf import portal_settings
from portal.errors import ApiKeyNotFound
from portal.keystore.actions import SessionKeys
from portal.keystore.base import KeyQuery
from portal.keystore.usage import Usage, Window
from portal.pages.headers import add_page_headers
from portal.pages.refusals import Refused
from portal.pages.render import page
from portal.pages.usage_chart import chart_of
from portal.pages.usage_csv import csv_lines
from portal.pages.usage_display import figures, key_shares
from portal.pages.usage_limit import soon_if_ever
from portal.pages.usage_place import UsagePlace, compared_with
from portal.pages.usage_words import kept_words, range_words

from .keys_base import KeysPage

__all__ = ["UsageCSV", "UsagePage"]

#: Pages of keys that are read for the names to choose from, 100 keys each.
_MOST_PAGES = 3


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the owner's keys.

    :param by_id: none without ``keys:read``.
    :param complete: whether a key that the page tells apart and that has no name here is gone.
    """

    by_id: Mapping[str, str]
    complete: bool

    @classmethod
    def of(cls, keys: SessionKeys, key_id: str) -> Names:
        """Return those of up to 300 keys, the newest, and that of ``key_id``, which may be empty or nobody's."""
        found: dict[str, str] = {}
        if not keys.session.allows("keys:read"):
            return cls(found, complete=False)
        cursor = ""
        for _number in range(_MOST_PAGES):
            read = keys.list(KeyQuery(cursor=cursor))
            found |= {key.id: key.name for key in read.keys}
            cursor = read.next
            if not cursor:
                return cls(found, complete=True)
        if key_id and key_id not in found:
            with suppress(ApiKeyNotFound):
                found[key_id] = keys.get(key_id).name
        return cls(found, complete=False)

    def also_of(self, usage: Usage) -> Names:
        """Return these and the names that a summary tells: of the keys used most, however old they are."""
        return self if usage.names is None else Names({**self.by_id, **usage.names}, complete=True)


class Found(NamedTuple):
    """The use of all keys, and that which the page shows: the same, or that of one key."""

    every: Usage
    shown: Usage


class _UsageView(KeysPage):
    """What the page and the file share."""

    http_method_names = ["get", "head"]
    capability = "analytics:read"

    def place(self, request: HttpRequest) -> UsagePlace:
        """Return what the address asks for.

        :raises Refused: the store does not count.
        """
        if not self.keys.store.supports_usage:
            raise Refused("not_found")
        return UsagePlace.of(reverse("portal:usage", args=[self.config.slug]), request.GET)


class UsagePage(_UsageView):
    """``<slug>/usage/``."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the use of all keys or of one; without it, where it is not to be had soon."""
        place = self.place(request)
        names = Names.of(self.keys, place.key_id)
        window = place.range.window
        compared = compared_with(window)
        # Both times in one question.
        both = Window(compared.start if compared else window.start, window.end, window.bucket)
        found = soon_if_ever(self.keys, lambda: self._read(both, window, place.key_id))
        every = found.every.within(window) if found else None
        if every:
            names = names.also_of(every)
        context = {
            "place": place,
            "title": range_words("title", place.range.unit, place.range.number),
            "beyond": kept_words(portal_settings.USAGE_RETENTION, place.range.label) if place.beyond else "",
            "options": self._options(place, names, every),
            "available": found is not None,
            "csv": reverse("portal:usage-csv", args=[self.config.slug]) + place.query,
        }
        if found is not None:
            whole = found.shown.within(window)
            context |= {
                "keyless": names.complete and not names.by_id and not whole.total.total and not place.key_id,
                "may_create": self.keys.store.supports_create and self.keys.session.allows("keys:create"),
                "figures": figures(whole, place.range, found.shown.within(compared) if compared else None),
                "chart": chart_of(whole),
                "empty": range_words("empty", place.range.unit, place.range.number),
                "caption": range_words("caption", place.range.unit, place.range.number),
                "shares": [] if place.key_id else key_shares(whole, names.by_id),
                "complete": names.complete,
            }
        return page(request, "usage.html", self.config, context, session=self.keys.session, tab="usage")

    def _read(self, both: Window, window: Window, key_id: str) -> Found:
        """Return the use in both times; the most used keys are those of ``window``."""
        every = self.keys.usage_summary(both, since=window.start)
        if not key_id:
            return Found(every, every)
        if key_id in every.keys or "" not in every.keys:
            return Found(every, every.only(key_id))
        # It may be among the others of the summary.
        return Found(every, self.keys.usage(both, [key_id]))

    def _options(self, place: UsagePlace, names: Names, usage: Usage | None) -> list[tuple[str, str]]:
        """Return the ids and names of the keys to choose from: the owner's, those most used also if they are gone."""
        used = [key_id for key_id, _total in usage.by_key] if usage else []
        ids = dict.fromkeys([*names.by_id, *used, *filter(None, [place.key_id])])
        return [(key_id, names.by_id.get(key_id, key_id)) for key_id in ids]


class UsageCSV(_UsageView):
    """``<slug>/usage.csv``: the numbers of the page for the same query."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Return the file. Without counts there is none: an empty one would say that there was no use."""
        place = self.place(request)
        names = Names.of(self.keys, place.key_id)
        window = place.range.window
        usage = self.keys.usage(window, [place.key_id]) if place.key_id else self.keys.usage_summary(window)
        lines = csv_lines(usage, names.also_of(usage).by_id)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="usage-{window.start:%Y-%m-%d}-{place.range.name}.csv"'
        add_page_headers(response, request, self.config)
        return response
