"""Filters of the list of keys."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal import clock
from portal.admin.filters import LISTED, ChoiceFilter
from portal.contrib.keys.models import ApiKey
from portal.keystore.base import Owner
from portal.models import PortalConfig

__all__ = ["KeyspaceFilter", "StateFilter"]


class StateFilter(ChoiceFilter):
    """By what a key's state is now."""

    title = _("state")
    parameter_name = "state"
    parameters = ("state",)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return all states."""
        return ApiKey.State.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the keys in the chosen state."""
        state = self.value()
        return queryset if state is None else queryset.in_state(state, clock.now())


class KeyspaceFilter(ChoiceFilter):
    """By keyspace; the choices are those that portals show."""

    title = _("portal")
    parameter_name = "keyspace"
    parameters = ("keyspace",)
    column = "keyspace_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return each keyspace with the slugs of the portals that show it."""
        slugs: dict[str, list[str]] = {}
        for config in PortalConfig.objects.all()[:LISTED]:
            slugs.setdefault(Owner(config, "").keyspace_id, []).append(config.slug)
        return [(keyspace_id, ", ".join(names)) for keyspace_id, names in slugs.items()]
