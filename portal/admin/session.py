"""Sessions in the admin: to look at and to end, never to edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import tokens
from portal.http import outside_atomic_requests
from portal.models import PortalConfig, PortalSession

from .actor import REVOKED, operator
from .confirm import confirm_page
from .filters import CreatedFilter, RootKeyFilter, SessionPortalFilter, StateFilter
from .paging import LargeTableAdmin, looks_like_id

__all__ = ["PortalSessionAdmin"]

_LIVE = {PortalSession.State.PENDING, PortalSession.State.ACTIVE}


def _one_line(text: str) -> str:
    """Return ``text`` for a cell that is not to break it: a list of sessions is read row by row."""
    return format_html('<span class="nowrap">{}</span>', text) if text else ""


@admin.register(PortalSession)
class PortalSessionAdmin(LargeTableAdmin):
    """The sessions, newest first. Ending one needs the permission to change sessions."""

    list_display = ("external_id", "portal", "session_state", "is_preview", "started", "ends", "granted")
    list_filter = (StateFilter, SessionPortalFilter, RootKeyFilter, CreatedFilter)
    list_select_related = ("config",)
    indexed_parameters = frozenset({"portal", "root_key"})
    search_fields = ("external_id",)
    search_help_text = gettext_lazy("A whole external id, as your backend sent it, or a session id (ps_…).")
    actions = ("end_selected",)
    fieldsets = (
        (None, {"fields": ("public_id", "config", "external_id", "display_name", "session_state")}),
        (
            gettext_lazy("Times"),
            {"fields": ("created_at", "code_expires_at", "exchanged_at", "expires_at", "revoked_at", "replayed_at")},
        ),
        (gettext_lazy("What it may do"), {"fields": ("capabilities", "permissions", "preview", "keyspace_id")}),
        (gettext_lazy("How it was made"), {"fields": ("minted_by", "return_url", "next", "locale", "metadata")}),
    )

    @admin.display(description=gettext_lazy("portal"))
    def portal(self, session: PortalSession) -> str:
        """Return the portal's slug."""
        return _one_line(session.config.slug)

    @admin.display(description=gettext_lazy("preview"), empty_value="")
    def is_preview(self, session: PortalSession) -> str:
        """Return a word for a preview: a mark for every other session would look like something that failed."""
        return _("Preview") if session.preview else ""

    @admin.display(description=gettext_lazy("capabilities"))
    def granted(self, session: PortalSession) -> str:
        """Return the session's capabilities."""
        return _one_line(session.capabilities)

    @admin.display(description=gettext_lazy("started"))
    def started(self, session: PortalSession) -> datetime:
        """Return when the session was minted, which is the order of the list."""
        return session.created_at

    @admin.display(description=gettext_lazy("ends"))
    def ends(self, session: PortalSession) -> datetime:
        """Return when time ends it: the code until it is exchanged, the session after that."""
        return session.expires_at or session.code_expires_at

    @admin.display(description=gettext_lazy("state"))
    def session_state(self, session: PortalSession) -> str:
        """Return the session's state now."""
        return str(session.state().label)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search exactly. Parts of an external id would be a walk through the table, so they are not offered."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if looks_like_id(term, tokens.SESSION_ID):
            return queryset.filter(public_id=term), False
        # The index begins with the portal, so all of them are named.
        portals = list(PortalConfig.objects.order_by().values_list("pk", flat=True))
        return queryset.filter(config__in=portals, external_id=term), False

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Say whether the operator may end sessions."""
        return request.user.has_perm("portal.change_portalsession")

    @admin.action(description=gettext_lazy("End selected sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask, then end each session by itself, so that the trail of each portal and user tells of it."""
        # What was ticked and no more, whatever "select_across" says.
        chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        if "confirmed" in request.POST:
            actor = operator(request)
            ended = sum(session.revoke(actor, reason=REVOKED) for session in chosen)
            text = ngettext("%(count)d session ended.", "%(count)d sessions ended.", ended) % {"count": ended}
            self.message_user(request, text, messages.SUCCESS)
            return None
        sessions = list(chosen)
        live = sum(session.state() in _LIVE for session in sessions)
        title = _("End selected sessions")
        return confirm_page(
            self,
            request,
            title,
            original=title,
            question=ngettext(
                "End %(count)d live session? Its user is signed out at once. API keys keep working.",
                "End %(count)d live sessions? Their users are signed out at once. API keys keep working.",
                live,
            )
            % {"count": live},
            button=_("End sessions"),
            rows=[f"{session.external_id} · {session.config.slug} · {session.state().label}" for session in sessions],
            hidden=[
                ("action", "end_selected"),
                ("confirmed", "yes"),
                *((ACTION_CHECKBOX_NAME, session.pk) for session in sessions),
            ],
            back=request.get_full_path(),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that ends one session."""
        end = outside_atomic_requests(self.admin_site.admin_view(self.end_view))
        return [path("<int:pk>/end/", end, name="portal_portalsession_end"), *super().get_urls()]

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then end the session."""
        if not self.has_end_permission(request):
            raise PermissionDenied
        session = self.get_queryset(request).select_related("config").filter(pk=pk).first()
        if not self.has_view_permission(request, session):
            raise PermissionDenied
        if session is None:
            raise Http404
        page = reverse("admin:portal_portalsession_change", args=[pk], current_app=self.admin_site.name)
        if request.method == "POST":
            ended = session.revoke(operator(request), reason=REVOKED)
            text = _("The session has ended.") if ended else _("The session had ended before.")
            self.message_user(request, text, messages.SUCCESS if ended else messages.INFO)
            return HttpResponseRedirect(page)
        return confirm_page(
            self,
            request,
            _("End session"),
            original=session,
            question=_(
                "End the session of %(user)s at %(portal)s? The user is signed out at once. API keys keep working."
            )
            % {"user": session.external_id, "portal": session.config.app_name},
            button=_("End session"),
            back=page,
        )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Show the buttons that the operator may use."""
        session = kwargs["obj"]
        context["can_end"] = self.has_end_permission(request) and session.state() in _LIVE
        context["sees_events"] = request.user.has_perm("portal.view_portalevent")
        return super().render_change_form(request, context, **kwargs)
