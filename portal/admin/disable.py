"""Switching a portal off: its own page, because it ends sessions at once and nothing brings them back."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.models import PortalConfig

from .actor import operator
from .live import live_sessions
from .page import find, object_page

__all__ = ["disable"]


@require_http_methods(["GET", "HEAD", "POST"])
def disable(request: HttpRequest, model_admin: admin.ModelAdmin[PortalConfig], object_id: str) -> HttpResponse:
    """Say what switching the portal off ends, and do it on POST."""
    config = find(model_admin, request, object_id)
    if not model_admin.has_change_permission(request, config):
        raise PermissionDenied
    if request.method != "POST" and config.enabled:
        title, live = _("Switch the portal off?"), live_sessions(config.sessions.all())
        return object_page(model_admin, request, config, "disable", title, live=live)
    if config.enabled:
        config.enabled = False
        with transaction.atomic(using=router.db_for_write(PortalConfig, instance=config)):
            config.save(actor=operator(request), update_fields=("enabled",))
            changed = str(capfirst(config._meta.get_field("enabled").verbose_name))
            model_admin.log_change(request, config, [{"changed": {"fields": [changed]}}])
        model_admin.message_user(request, _("The portal is off. Its sessions have ended."), messages.SUCCESS)
    site = model_admin.admin_site.name
    return HttpResponseRedirect(reverse("admin:portal_portalconfig_change", args=(config.pk,), current_app=site))
