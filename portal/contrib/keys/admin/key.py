"""API keys in the admin: the list, one key, and the form that makes one. A secret is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.admin import once
from portal.admin.actor import operator
from portal.admin.paging import looks_like_id
from portal.admin.secret import secret_page
from portal.contrib.keys.models import ApiKey, KeySecret, portals_of
from portal.errors import KeyNameTaken

from . import acts
from .actions import KeyActions
from .display import secrets_table
from .filters import KeyspaceFilter, StateFilter
from .forms import CreateKeyForm, EditKeyForm

__all__ = ["ApiKeyAdmin"]

#: So many keys may be found by the start of an old secret; more have one only if somebody imported them so.
_OLD_STARTS = 1000


class _RevokedMeanwhile(Exception):
    """The key of the form cannot be changed any more."""


@admin.register(ApiKey)
class ApiKeyAdmin(KeyActions):
    """The keys of all users, the newest first. They are revoked here, not deleted: ``portal_purge`` deletes them later."""

    list_display = ("name", "external_id", "key_state", "masked", "portal", "expires_at", "last_used_at", "created_at")
    list_filter = (StateFilter, KeyspaceFilter)
    indexed_parameters = frozenset({"keyspace"})
    search_fields = ("external_id",)
    search_help_text = gettext_lazy(
        "A whole external id, a key id (key_…), or the start of a secret as it is listed. Never a whole secret."
    )
    actions = None
    id_prefix = tokens.API_KEY_ID
    made_before = gettext_lazy("Key created already")

    @admin.display(description=gettext_lazy("starts with"))
    def masked(self, key: ApiKey) -> SafeString | str:
        """Return the first characters of the present secret."""
        return format_html('<span class="nowrap">{}…</span>', key.start) if key.start else ""

    @admin.display(description=gettext_lazy("state"))
    def key_state(self, key: ApiKey) -> str:
        """Return the key's state now."""
        return str(key.state(clock.now()).label)

    @admin.display(description=gettext_lazy("portal"))
    def portal(self, key: Any) -> str:
        """Return the slug of the portal that shows the key, or the keyspace where none does."""
        slug: str = key.portal_slug
        return slug

    @admin.display(description=gettext_lazy("secrets"))
    def secrets(self, key: ApiKey) -> SafeString | str:
        """Return what there is to see of the secrets."""
        return secrets_table(key)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Return the list, with the portals of the page's keys."""
        changelist = super().get_changelist_instance(request)
        _name_portals(changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ApiKey | None:
        """Return the key, with its portal."""
        found: ApiKey | None = super().get_object(request, object_id, from_field)
        if found is not None:
            _name_portals([found])
        return found

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search exactly, by what an index serves."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if looks_like_id(term, tokens.API_KEY_ID):
            return queryset.filter(public_id=term), False
        # In the order of the index: a limit alone may make PostgreSQL walk through the table.
        if ApiKey.objects.using(queryset.db).filter(external_id=term).order_by("-pk").values_list("pk").first():
            return queryset.filter(external_id=term), False
        start = term.removesuffix("…")
        # Also of an old secret: what leaked is often that.
        old = KeySecret.objects.using(queryset.db).filter(start=start).values_list("key", flat=True)[:_OLD_STARTS]
        return queryset.filter(Q(start=start) | Q(pk__in=list(old))), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say whether the operator may make keys."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the operator may change keys; one that is revoked is only there to look at."""
        live = obj is None or obj.revoked_at is None
        return live and admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form that makes a key, or the one for what may be set later."""
        kwargs["form"] = EditKeyForm if change else CreateKeyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form, and for a key that exists what there is to see."""
        if obj is None:
            return (
                (
                    None,
                    {
                        "description": gettext_lazy(
                            "For a user who cannot make it. The portal's limits are for its users and do not hold here."
                        ),
                        "fields": ("portal", "external_id", "name", "request_id"),
                    },
                ),
                (
                    gettext_lazy("What it may do"),
                    {"fields": ("expires_at", "never_expires", "permissions")},
                ),
            )
        return (
            (None, {"fields": ("name", "external_id", "portal", "public_id", "key_state", "secrets")}),
            (gettext_lazy("What it may do"), {"fields": EditKeyForm.Meta.fields}),
            (
                gettext_lazy("Times"),
                {"fields": ("created_at", "updated_at", "rotated_at", "last_used_at", "revoked_at")},
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return all but what an operator may set."""
        if obj is None:
            return ()
        shown = [name for _title, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        return tuple(name for name in shown if name not in EditKeyForm.Meta.fields)

    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a form or save it, in no transaction but those of :mod:`.acts`.

        Django's begins with reads, and on SQLite such a transaction fails as soon as it writes after somebody else did.
        """
        view: Any = self._changeform_view  # type: ignore[attr-defined]
        answer: HttpResponse
        try:
            answer = view(request, object_id, form_url, extra_context)
        except KeyNameTaken:
            # Somebody gave the name to a key after the form was checked. Checked again, it says so.
            answer = view(request, object_id, form_url, extra_context)
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the key, and save what was edited."""
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except _RevokedMeanwhile as error:
            text = _("This key was revoked meanwhile; nothing was changed.")
            return self.refused(request, error.args[0], _("Key revoked"), text)

    @sensitive_variables("issued")
    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key, or write what was edited and nothing else."""
        values = form.cleaned_data
        if change:
            edited = {name: values[name] for name in form.changed_columns()}
            if edited and not acts.change(obj, edited, operator(request)):
                raise _RevokedMeanwhile(obj)
            return
        issued = acts.make(
            values["portal"],
            values["external_id"],
            operator(request),
            public_id=once.public_id(request, values["request_id"], tokens.API_KEY_ID),
            name=values["name"],
            expires_at=values["expires_at"],
            permissions=values["permissions"],
        )
        obj.pk = issued.row.pk
        # For response_add of this request; a model instance is not stored.
        obj.issued = issued  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Show the secret."""
        return secret_page(self, request, _("Key created"), obj.issued, label=_("API key"), old_secret_ends=None)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Show the buttons that the operator may use."""
        context["sees_events"] = request.user.has_perm("portal.view_portalevent")
        return super().render_change_form(request, context, **kwargs)


def _name_portals(keys: Any) -> None:
    portals = portals_of({key.keyspace_id for key in keys})
    for key in keys:
        portal = portals.get(key.keyspace_id)
        key.portal_slug = portal.slug if portal else key.keyspace_id
