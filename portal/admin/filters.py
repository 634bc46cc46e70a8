"""Filters of the large tables. Each says which parameters it takes; nothing else may be asked for in the address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib.admin import ListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from portal import clock
from portal.models import PortalConfig, PortalEvent, PortalSession, RootKey

from .paging import ids_between

__all__ = [
    "LISTED",
    "ActorKindFilter",
    "ChoiceFilter",
    "CreatedFilter",
    "EventPortalFilter",
    "KindFilter",
    "RootKeyFilter",
    "SessionPortalFilter",
    "StateFilter",
]

#: So many portals or root keys are listed; the others are reached by their public id in the address.
LISTED = 100


class ChoiceFilter(SimpleListFilter):
    """One column, one value."""

    parameters: ClassVar[tuple[str, ...]]
    column: str

    def has_output(self) -> bool:
        """Say whether there is a choice. One that was made counts, or a filter in the address would filter nothing."""
        return super().has_output() or self.value() is not None

    def value(self) -> str | None:
        """Return the chosen value, or None.

        :raises IncorrectLookupParameters: it has a NUL, which PostgreSQL refuses with an error of its own.
        """
        value = super().value() or None
        if value and "\0" in value:
            raise IncorrectLookupParameters
        return value

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the rows with the chosen value."""
        return queryset if self.value() is None else queryset.filter(**{self.column: self.value()})


class StateFilter(ChoiceFilter):
    """By what a session's state is now."""

    title = _("state")
    parameter_name = "state"
    parameters = ("state",)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return all states."""
        return PortalSession.State.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the sessions in the chosen state."""
        state = self.value()
        return queryset if state is None else queryset.in_state(state)


class EventPortalFilter(ChoiceFilter):
    """By portal; the portal of an event may be deleted."""

    title = _("portal")
    parameter_name = "portal"
    parameters = ("portal",)
    column = "portal_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the portals."""
        return list(PortalConfig.objects.values_list("public_id", "slug")[:LISTED])


class SessionPortalFilter(EventPortalFilter):
    """By portal."""

    column = "config"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the portal's sessions."""
        return _owned(self, PortalConfig, queryset)


class RootKeyFilter(ChoiceFilter):
    """By the root key that minted a session."""

    title = _("root key")
    parameter_name = "root_key"
    parameters = ("root_key",)
    column = "minted_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the root keys."""
        return list(RootKey.objects.values_list("public_id", "name")[:LISTED])

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the root key's sessions."""
        return _owned(self, RootKey, queryset)


def _owned(chosen: ChoiceFilter, model: Any, queryset: Any) -> Any:
    """Return the rows whose owner has the chosen public id: by key, so that no join stands between them and the index."""
    if chosen.value() is None:
        return queryset
    owner = model.objects.filter(public_id=chosen.value()).values_list("pk", flat=True).first()
    return queryset.none() if owner is None else queryset.filter(**{chosen.column: owner})


class KindFilter(ChoiceFilter):
    """By what happened."""

    title = _("kind")
    parameter_name = "kind"
    parameters = ("kind",)
    column = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return all kinds."""
        return PortalEvent.Kind.choices


class ActorKindFilter(ChoiceFilter):
    """By who did it."""

    title = _("actor")
    parameter_name = "actor"
    parameters = ("actor",)
    column = "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return all kinds of actors."""
        return PortalEvent.ActorKind.choices


class CreatedFilter(ListFilter):
    """By the days on which rows were created, both included, in the current time zone."""

    title = _("date")
    template = "admin/portal/created_filter.html"
    parameters = ("from", "to")

    def __init__(self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.days = {name: _day(params.pop(name, [""])[-1]) for name in self.parameters}
        #: Ids outside which there is no row of these days.
        self.ids: tuple[int, int] | None = None

    def has_output(self) -> bool:
        """Say that there is always something to choose."""
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the rows of these days, by id: the tables have no index that gives both a day and an order."""
        first, last = self.days["from"], self.days["to"]
        if first is None and last is None:
            return queryset
        try:
            start = _midnight(first or date(1970, 1, 1))
            end = _midnight((last or timezone.localdate(clock.now())) + timedelta(days=1))
            self.ids = ids_between(queryset.model, queryset.db, start, end)
        except OverflowError as error:
            raise IncorrectLookupParameters from error
        return queryset.filter(pk__gte=self.ids[0], pk__lt=self.ids[1], created_at__gte=start, created_at__lt=end)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Return the links for the last days, and with each what the form for other days needs."""
        today = timezone.localdate(clock.now())
        chosen = (self.days["from"], self.days["to"])
        other = {name: value for name, value in changelist.params.items() if name not in self.parameters}
        for first, display in (
            (None, _("Any time")),
            (today, _("Today")),
            (today - timedelta(days=6), _("Past 7 days")),
            (today - timedelta(days=29), _("Past 30 days")),
        ):
            yield {
                "selected": chosen == (first, None),
                "query_string": changelist.get_query_string({"from": first, "to": None}),
                "display": display,
                "days": {name: day.isoformat() if day else "" for name, day in self.days.items()},
                "other": other,
            }


def _day(value: str) -> date | None:
    try:
        day = parse_date(value) if value else None
    except ValueError as error:
        raise IncorrectLookupParameters from error
    if value and day is None:
        raise IncorrectLookupParameters
    return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
