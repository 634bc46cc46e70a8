"""What can be done with a root key in the admin: rotate it, switch it off and on, end the sessions that it minted."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from portal.http import outside_atomic_requests
from portal.models import RootKey
from portal.models.root_key import RotatedMeanwhile

from .actor import REVOKED, operator
from .confirm import confirm_page
from .once import SentOnceAdmin
from .root_key_form import DisableForm, RotateForm
from .root_key_secret import root_key_secret_page

__all__ = ["RootKeyActions"]


def _version(root_key: RootKey) -> str:
    """Return what a page may know of the present secret's hash: enough to see that it was rotated."""
    return salted_hmac("portal.admin.rotate", bytes(root_key.key_hash), algorithm="sha256").hexdigest()


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


class RootKeyActions(SentOnceAdmin):
    """The pages and buttons of one root key. All of them need the permission to change root keys."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of what can be done with a key."""
        views = {"rotate": self.rotate_view, "disable": self.disable_view, "enable": self.enable_view}
        views["end_sessions"] = self.end_sessions_view
        return [
            path(
                f"<int:pk>/{name.replace('_', '-')}/",
                outside_atomic_requests(self.admin_site.admin_view(view)),
                name=f"portal_rootkey_{name}",
            )
            for name, view in views.items()
        ] + super().get_urls()

    def _changeable(self, request: HttpRequest, pk: int) -> RootKey:
        root_key: RootKey | None = self.get_queryset(request).filter(pk=pk).first()
        # With the row: a host's admin may decide row by row. Before the 404: who may change nothing learns of no ids.
        if not self.has_change_permission(request, root_key):
            raise PermissionDenied
        if root_key is None:
            raise Http404
        return root_key

    def _done(self, request: HttpRequest, root_key: RootKey, text: str) -> HttpResponse:
        self.log_change(request, root_key, text)
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(self.page_of(root_key))

    @sensitive_variables("issued")
    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask when the old secret ends, then make a new one and show it."""
        root_key = self._changeable(request, pk)
        form = RotateForm(_sent(request), initial={"version": _version(root_key)})
        if form.is_valid():
            try:
                if not constant_time_compare(form.cleaned_data["version"], _version(root_key)):
                    raise RotatedMeanwhile
                # Together with the page that shows it: a secret that nobody saw must not end the one in use.
                with transaction.atomic(using=router.db_for_write(RootKey, instance=root_key)):
                    issued = root_key.rotate(
                        form.cleaned_data["grace"], actor=operator(request), key_hash=bytes(root_key.key_hash)
                    )
                    self.log_change(request, root_key, _("Rotated."))
                    return root_key_secret_page(self, request, _("Root key rotated"), issued)
            except RotatedMeanwhile:
                # A form sent twice would otherwise end the secret that backends still use, without its grace.
                text = _("This key was rotated meanwhile; nothing was changed. Rotate it again to get another secret.")
                return self.refused(request, root_key, _("Root key rotated already"), text)
        return confirm_page(
            self,
            request,
            _("Rotate root key"),
            original=root_key,
            question=_("Give “%(name)s” a new secret? You see it once, on the next page.") % {"name": root_key.name},
            button=_("Rotate"),
            danger=False,
            fields=form,
            back=self.page_of(root_key),
        )

    def disable_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether its sessions end too, then refuse the key from now on."""
        root_key = self._changeable(request, pk)
        form = DisableForm(_sent(request))
        if not request.user.has_perm("portal.change_portalsession"):
            del form.fields["end_sessions"]
        if form.is_valid():
            root_key.disable(end_sessions=form.cleaned_data.get("end_sessions", False), actor=operator(request))
            return self._done(request, root_key, _("Disabled."))
        return confirm_page(
            self,
            request,
            _("Disable root key"),
            original=root_key,
            question=_("Disable “%(name)s”? Backends that use it can no longer mint sessions.")
            % {"name": root_key.name},
            button=_("Disable"),
            fields=form,
            back=self.page_of(root_key),
        )

    def enable_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then accept the key again."""
        root_key = self._changeable(request, pk)
        if request.method == "POST":
            root_key.enable(actor=operator(request))
            return self._done(request, root_key, _("Enabled."))
        return confirm_page(
            self,
            request,
            _("Enable root key"),
            original=root_key,
            question=_("Enable “%(name)s”? Its present secret works again; if that has leaked, rotate the key first.")
            % {"name": root_key.name},
            button=_("Enable"),
            danger=False,
            back=self.page_of(root_key),
        )

    def end_sessions_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then end all sessions that the key minted."""
        root_key = self._changeable(request, pk)
        if not request.user.has_perm("portal.change_portalsession"):
            raise PermissionDenied
        if request.method == "POST":
            ended = root_key.end_sessions(operator(request), reason=REVOKED)
            text = ngettext("%(count)d session ended.", "%(count)d sessions ended.", ended) % {"count": ended}
            return self._done(request, root_key, text)
        return confirm_page(
            self,
            request,
            _("End its sessions"),
            original=root_key,
            question=_(
                "End all sessions that “%(name)s” minted, links that nobody opened yet included? Their users are signed out "
                "at once. API keys keep working, and so does this root key."
            )
            % {"name": root_key.name},
            button=_("End sessions"),
            back=self.page_of(root_key),
        )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Show the buttons that the operator may use."""
        context["can_end"] = request.user.has_perm("portal.change_portalsession")
        context["sees_sessions"] = request.user.has_perm("portal.view_portalsession")
        return super().render_change_form(request, context, **kwargs)
