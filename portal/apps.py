"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import request_started
from django.utils.translation import gettext_lazy as _

from . import request_id

__all__ = ["PortalAppConfig"]


class PortalAppConfig(AppConfig):
    """Registers the app as ``portal``. Named so because ``PortalConfig`` is the model of a portal."""

    name = "portal"
    label = "portal"
    verbose_name = _("Customer portal")
    # Fixed here so that a host's DEFAULT_AUTO_FIELD never asks for a migration of this app.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Give each request a clean slate for its id."""
        request_started.connect(request_id.forget, dispatch_uid="portal.request_id")
