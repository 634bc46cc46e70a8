"""Portals in the admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import PortalConfig, PortalLogo, PortalSession

from .actor import operator
from .address import NO_ADDRESS, portal_address
from .config_form import LOGO_FIELDS, PortalConfigForm
from .contrast import contrast_report
from .disable import disable
from .guide import guide
from .live import live_sessions
from .lookups import OfferedLookups
from .preview import PERMISSION, preview

__all__ = ["PortalConfigAdmin"]


@admin.register(PortalConfig)
class PortalConfigAdmin(OfferedLookups):
    """A plain ModelAdmin, so that a project with an admin theme can mix in that theme's own.

    All writes go through the model's verbs and name the operator: that is what ends sessions and what is audited.
    """

    form = PortalConfigForm
    list_display = ("slug", "display_name", "enabled", "keyspace_id", "updated_at")
    list_filter = ("enabled",)
    search_fields = ("slug", "display_name", "public_id", "keyspace_id")
    readonly_fields = ("address", "public_id", "contrast")
    view_on_site = False
    fieldsets = (
        (
            gettext_lazy("Basics"),
            {"fields": ("display_name", "slug", "address", "public_id", "enabled", "keyspace_id")},
        ),
        (
            gettext_lazy("Branding"),
            {"fields": ("primary_color", "contrast", "logo_url", "logo", "dark_logo")},
        ),
        (
            gettext_lazy("Keys"),
            {
                "fields": (
                    "key_prefix",
                    "key_default_days",
                    "key_longest_days",
                    "key_never_expires",
                    "key_limit",
                    "key_permissions",
                    "key_default_permissions",
                    "key_grace_periods",
                    "api_url",
                )
            },
        ),
        (gettext_lazy("Pages"), {"fields": ("support_url", "privacy_url", "show_powered_by", "locale")}),
        (
            gettext_lazy("Sessions"),
            {
                "fields": (
                    "return_url",
                    "return_origins",
                    "allowed_origins",
                    "frame_ancestors",
                    "extra_capabilities",
                )
            },
        ),
    )

    class Media:
        """What our own widgets and reports look like."""

        css = {"all": ("portal/admin/portal.css",)}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one portal to Django's."""
        pages = {"preview": preview, "guide": guide, "disable": disable}
        return [
            *(
                path(
                    f"<path:object_id>/{name}/",
                    self.admin_site.admin_view(partial(view, model_admin=self)),
                    name=f"portal_portalconfig_{name}",
                )
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> PortalConfig | None:
        """Return the portal, together with what the page shows of it as it is saved: a form changes its instance."""
        found: PortalConfig | None = super().get_object(request, object_id, from_field)
        if found is not None:
            saved = _Saved(portal_address(found.slug, request), found.primary_color)
            found.admin_saved = saved  # type: ignore[attr-defined]
        return found

    def get_fieldsets(self, request: HttpRequest, obj: PortalConfig | None = None) -> Any:
        """Leave out what only a saved portal has, and show names instead of uploads to those who may only look."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return _replace(fieldsets, dict.fromkeys(self.readonly_fields, ""))
        return fieldsets if self.has_change_permission(request, obj) else _replace(fieldsets, LOGO_FIELDS)

    def get_form(self, request: HttpRequest, obj: PortalConfig | None = None, *args: Any, **kwargs: Any) -> Any:
        """Return a form class of this request's own, which knows the portal's address."""
        form = super().get_form(request, obj, *args, **kwargs)
        form.address = _saved(obj).address  # type: ignore[attr-defined]
        return form

    @admin.display(description=gettext_lazy("public address"))
    def address(self, obj: PortalConfig) -> str:
        """Show the full address of the saved portal."""
        address = _saved(obj).address
        return (
            format_html('<a href="{0}" target="_blank" rel="noopener">{0}</a>', address) if address else str(NO_ADDRESS)
        )

    @admin.display(description=gettext_lazy("contrast"))
    def contrast(self, obj: PortalConfig) -> SafeString:
        """Show what becomes of the saved color."""
        return contrast_report(_saved(obj).color)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Tell the template which buttons to show."""
        context["portal_address"] = _saved(context["original"]).address
        context["may_preview"] = request.user.has_perm(PERMISSION)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: PortalConfig, form: PortalConfigForm, change: bool) -> None:
        """Save a new portal, or of an old one what the operator changed."""
        actor, uploads = operator(request), form.uploads()
        if not change:
            obj.save(actor=actor)
        fields = [*form.changed_columns()] if change else []
        for column, data in uploads.items():
            dark = column == LOGO_FIELDS["dark_logo"]
            if data is False:
                obj.logos.filter(dark=dark).delete()
                setattr(obj, column, "")
                fields.append(column)
            else:
                PortalLogo.objects.store(obj, data, dark=dark, actor=actor)
        if fields:
            obj.save(actor=actor, update_fields=fields)
            if "slug" in fields:
                text = _("The slug has changed: links that hold the old one no longer work.")
                self.message_user(request, text, messages.WARNING)
        obj.admin_wants_disabled = form.wants_disabled  # type: ignore[attr-defined]

    def response_change(self, request: HttpRequest, obj: PortalConfig) -> HttpResponse:
        """Ask before sessions end; everything else that the form changed is saved by now."""
        if not getattr(obj, "admin_wants_disabled", False):
            return super().response_change(request, obj)
        site = self.admin_site.name
        return HttpResponseRedirect(reverse("admin:portal_portalconfig_disable", args=(obj.pk,), current_app=site))

    def delete_model(self, request: HttpRequest, obj: PortalConfig) -> None:
        """Delete the portal and its sessions."""
        obj.delete(actor=operator(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete these portals and their sessions."""
        queryset.delete(actor=operator(request))

    def get_deleted_objects(
        self, objs: Iterable[PortalConfig], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Return what a deletion takes along, in words: Django's own collects every session first."""
        doomed = list(objs)
        live = live_sessions(PortalSession.objects.filter(config__in=[obj.pk for obj in doomed]))
        listed: list[Any] = [f"{obj} ({obj.slug})" for obj in doomed]
        listed += [
            _("All their sessions, ended ones included. Currently %(live)s. Links into them stop working.")
            % {"live": live},
            _("Their uploaded logos. API keys and events stay."),
        ]
        name = str(self.opts.verbose_name_plural)
        allowed = all(self.has_delete_permission(request, obj) for obj in doomed)
        return listed, {name: len(doomed)}, set() if allowed else {name}, []


class _Saved(NamedTuple):
    """What the page of a portal shows of the saved row."""

    address: str = ""
    color: str = ""


def _saved(obj: PortalConfig | None) -> _Saved:
    return getattr(obj, "admin_saved", _Saved())


def _replace(fieldsets: Any, names: Mapping[str, str]) -> list[Any]:
    """Return ``fieldsets`` with fields replaced by others; an empty name leaves the field out."""
    return [
        (title, {**options, "fields": [new for name in options["fields"] if (new := names.get(name, name))]})
        for title, options in fieldsets
    ]
