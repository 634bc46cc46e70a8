"""What can be done with a key in the admin: lock and unlock it, rotate it, revoke it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from portal.admin.actor import operator
from portal.admin.confirm import confirm_page
from portal.admin.once import SentOnceAdmin
from portal.admin.paging import LargeTableAdmin
from portal.admin.secret import secret_page
from portal.contrib.keys.models import ApiKey, portals_of
from portal.http import outside_atomic_requests
from portal.models import Actor, PortalConfig

from . import acts
from .forms import RotateKeyForm

__all__ = ["KeyActions"]


class KeyActions(SentOnceAdmin, LargeTableAdmin):
    """The pages and buttons of one key. All of them need the permission to change keys."""

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of what can be done with a key."""
        views = {
            "lock": self.lock_view,
            "unlock": self.unlock_view,
            "rotate": self.rotate_view,
            "revoke": self.revoke_view,
        }
        stock = super().get_urls()
        for pattern in stock:
            outside_atomic_requests(pattern.callback)
        return [
            path(
                f"<int:pk>/{name}/",
                outside_atomic_requests(self.admin_site.admin_view(view)),
                name=f"portal_keys_apikey_{name}",
            )
            for name, view in views.items()
        ] + stock

    def lock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then refuse the key until it is unlocked."""
        key = self._changeable(request, pk)
        return self._asked(
            request,
            key,
            acts.lock,
            title=_("Lock key"),
            question=_(
                "Lock “%(name)s” of %(user)s? It is refused from now on, and its owner cannot change, rotate or revoke it "
                "until you unlock it."
            ),
            button=_("Lock"),
            done=_("Locked."),
            otherwise=_("The key was locked before."),
        )

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then take the lock off."""
        key = self._changeable(request, pk)
        return self._asked(
            request,
            key,
            acts.unlock,
            title=_("Unlock key"),
            question=_(
                "Unlock “%(name)s” of %(user)s? Its present secret works again; if that has leaked, rotate the key first."
            ),
            button=_("Unlock"),
            danger=False,
            done=_("Unlocked."),
            otherwise=_("The key was not locked."),
        )

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then refuse the key for ever."""
        key = self._changeable(request, pk)
        return self._asked(
            request,
            key,
            acts.revoke,
            title=_("Revoke key"),
            question=_("Revoke “%(name)s” of %(user)s? It is refused from now on, and nothing brings it back."),
            button=_("Revoke"),
            done=_("Revoked."),
            otherwise=_("The key was revoked before."),
        )

    @sensitive_variables("issued")
    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask when the old secret ends, then make a new one and show it."""
        key = self._changeable(request, pk)
        if key.revoked_at is not None:
            return self._told(request, key, _("The key was revoked before."))
        config = portals_of([key.keyspace_id]).get(key.keyspace_id) or PortalConfig()
        form = RotateKeyForm(request.POST if request.method == "POST" else None, config=config, revision=key.revision)
        if form.is_valid():
            chosen = form.cleaned_data
            actor = operator(request)
            # Together with the page that shows it: a secret that nobody saw must not end the one in use.
            with transaction.atomic(using=router.db_for_write(ApiKey)):
                issued = acts.rotate(key, config.key_prefix, chosen["grace"], actor, revision=chosen["revision"])
                if issued is not None:
                    self.log_change(request, key, _("Rotated."))
                    old = issued.row.secrets.filter(ends_at__gt=issued.row.rotated_at).first()
                    return secret_page(
                        self,
                        request,
                        _("Key rotated"),
                        issued,
                        label=_("API key"),
                        old_secret_ends=old.ends_at if old else None,
                    )
            # A form sent twice would otherwise end the secret that is in use, without its grace.
            text = _("This key was changed meanwhile; nothing was done. Rotate it again to get another secret.")
            return self.refused(request, key, _("Key changed meanwhile"), text)
        return confirm_page(
            self,
            request,
            _("Rotate key"),
            original=key,
            question=_("Give “%(name)s” of %(user)s a new secret? You see it once, on the next page.") % _words(key),
            button=_("Rotate"),
            danger=False,
            fields=form,
            back=self.page_of(key),
        )

    def _changeable(self, request: HttpRequest, pk: int) -> ApiKey:
        key: ApiKey | None = self.get_queryset(request).filter(pk=pk).first()
        # With the row: a host's admin may decide row by row. Without one that is revoked: who may change keys is told so.
        row = None if key is None or key.revoked_at is not None else key
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if key is None:
            raise Http404
        return key

    def _told(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        self.message_user(request, text, messages.INFO)
        return HttpResponseRedirect(self.page_of(key))

    def _asked(
        self,
        request: HttpRequest,
        key: ApiKey,
        act: Callable[[ApiKey, Actor], bool],
        *,
        title: str,
        question: str,
        done: str,
        otherwise: str,
        **page: Any,
    ) -> HttpResponse:
        """Ask the question on GET; on POST do the act, and say what came of it."""
        if request.method != "POST":
            words = question % _words(key)
            return confirm_page(self, request, title, original=key, question=words, back=self.page_of(key), **page)
        if not act(key, operator(request)):
            return self._told(request, key, otherwise)
        self.log_change(request, key, done)
        self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(self.page_of(key))


def _words(key: ApiKey) -> dict[str, str]:
    return {"name": key.name, "user": key.external_id}
