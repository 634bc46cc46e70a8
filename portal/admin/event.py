"""The audit trail in the admin: to read, to filter and to take away as CSV."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from portal import clock, tokens
from portal.models import PortalConfig, PortalEvent

from .export import csv_lines
from .filters import ActorKindFilter, CreatedFilter, EventPortalFilter, KindFilter
from .paging import LargeTableAdmin, every_page, looks_like_id

__all__ = ["PortalEventAdmin"]

_EXPORT_PAGE = 1000


@admin.register(PortalEvent)
class PortalEventAdmin(LargeTableAdmin):
    """The events, newest first."""

    list_display = ("created_at", "kind", "actor", "portal", "external_id", "session_id", "address")
    list_filter = (KindFilter, ActorKindFilter, EventPortalFilter, CreatedFilter)
    indexed_parameters = frozenset({"portal"})
    search_fields = ("external_id",)
    search_help_text = gettext_lazy("A whole external id, a session id (ps_…) or a portal id (prt_…).")
    actions = None
    fields = (
        "created_at",
        "kind",
        "actor_kind",
        "actor_id",
        "address",
        "portal_id",
        "session_id",
        "external_id",
        "details",
    )

    @admin.display(description=gettext_lazy("actor"))
    def actor(self, event: PortalEvent) -> str:
        """Return what kind of actor it was, and who."""
        return f"{event.get_actor_kind_display()} {event.actor_id}".strip()

    @admin.display(description=gettext_lazy("portal"))
    def portal(self, event: Any) -> str:
        """Return the portal's slug, or its id when it was deleted."""
        slug: str = event.portal_slug
        return slug

    @admin.display(description=gettext_lazy("detail"))
    def details(self, event: PortalEvent) -> SafeString:
        """Return the detail as JSON that people can read."""
        return format_html("<pre>{}</pre>", json.dumps(event.detail, ensure_ascii=False, indent=2, sort_keys=True))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Return the list, with the slugs of the page's portals."""
        changelist = super().get_changelist_instance(request)
        events: Any = changelist.result_list
        portals = PortalConfig.objects.filter(public_id__in={event.portal_id for event in events})
        slugs = dict(portals.values_list("public_id", "slug"))
        for event in events:
            event.portal_slug = slugs.get(event.portal_id, event.portal_id)
        return changelist

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search exactly, by what an index serves."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if looks_like_id(term, tokens.SESSION_ID):
            return queryset.filter(session_id=term), False
        if looks_like_id(term, tokens.PORTAL_ID):
            return queryset.filter(portal_id=term), False
        return queryset.filter(external_id=term), False

    def get_urls(self) -> list[URLPattern]:
        """Add the export."""
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name="portal_portalevent_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the events of the present filter and search as CSV, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            changelist: Any = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            # As the list itself does.
            page = reverse("admin:portal_portalevent_changelist", current_app=self.admin_site.name)
            return HttpResponseRedirect(f"{page}?{ERROR_FLAG}=1")
        pages = every_page(changelist.queryset, _EXPORT_PAGE, **changelist.reading())
        name = f"portal-events-{timezone.localdate(clock.now())}.csv"
        return StreamingHttpResponse(
            csv_lines(pages),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
        )
