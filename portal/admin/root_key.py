"""Root keys in the admin: the list, the form that makes one, and what may be edited. The secret is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.models import RootKey

from . import once
from .actor import operator
from .lookups import OfferedLookups
from .root_key_actions import RootKeyActions
from .root_key_form import CreateRootKeyForm, EditRootKeyForm
from .root_key_secret import root_key_secret_page

__all__ = ["RootKeyAdmin"]


@admin.register(RootKey)
class RootKeyAdmin(OfferedLookups, RootKeyActions):
    """The root keys.

    They are not deleted here but disabled: their sessions would lose the link to them, by which a leaked key's sessions
    are found and ended, in one UPDATE of however many rows there are.
    """

    list_display = ("name", "start", "state", "last_used_at", "expires_at", "created_at")
    list_filter = ("enabled",)
    search_fields = ("name", "public_id")
    actions = None
    ordering = ("name", "id")
    id_prefix = tokens.ROOT_KEY_ID
    made_before = gettext_lazy("Root key created already")

    @admin.display(description=gettext_lazy("state"))
    def state(self, root_key: RootKey) -> str:
        """Return whether the key is accepted now."""
        if not root_key.enabled:
            return _("Disabled")
        expired = root_key.expires_at is not None and root_key.expires_at <= clock.now()
        return _("Expired") if expired else _("Enabled")

    @admin.display(description=gettext_lazy("permissions"))
    def granted(self, root_key: RootKey) -> SafeString:
        """Return what the key may do, one permission a line."""
        return format_html_join("\n", "<div>{}</div>", ([permission] for permission in root_key.permissions))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes root keys; see the class."""
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form with the picker, or the one for what may be edited later."""
        kwargs["form"] = EditRootKeyForm if change else CreateRootKeyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form, and for a key that exists what there is to see."""
        if obj is None:
            return (
                (None, {"fields": ("name", "expires_at", "request_id")}),
                (gettext_lazy("What it may do"), {"fields": ("mint", "portals", "manages", "capabilities")}),
                (gettext_lazy("Advanced"), {"fields": ("tuples", "everything"), "classes": ("collapse",)}),
            )
        return (
            (None, {"fields": ("name", "public_id", "start", "state", "granted")}),
            (
                gettext_lazy("Times"),
                {"fields": ("expires_at", "created_at", "last_used_at", "previous_ends_at")},
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return all but name and expiry."""
        if obj is None:
            return ()
        return ("public_id", "start", "state", "granted", "created_at", "last_used_at", "previous_ends_at")

    @sensitive_variables("issued")
    def save_model(self, request: HttpRequest, obj: RootKey, form: Any, change: bool) -> None:
        """Make the key through its own verb, or save what was edited and nothing else."""
        if change:
            if fields := [name for name in form.changed_data if name in EditRootKeyForm.Meta.fields]:
                obj.change(*fields, actor=operator(request))
            return
        issued = RootKey.objects.issue(
            obj.name,
            form.granted,
            expires_at=obj.expires_at,
            public_id=once.public_id(request, form.cleaned_data["request_id"], tokens.ROOT_KEY_ID),
            actor=operator(request),
        )
        obj.pk = issued.row.pk
        # For response_add of this request; a model instance is not stored.
        obj.issued = issued  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Show the secret."""
        return root_key_secret_page(self, request, _("Root key created"), obj.issued)
