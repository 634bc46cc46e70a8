"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_started
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _

from . import credential_cache, request_id
from .checks import register_checks

__all__ = ["PortalAppConfig"]


class PortalAppConfig(AppConfig):
    """Registers the app as ``portal``. Named so because ``PortalConfig`` is the model of a portal."""

    name = "portal"
    label = "portal"
    verbose_name = _("Customer portal")
    # Fixed here so that a host's DEFAULT_AUTO_FIELD never asks for a migration of this app.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Refuse settings that would break expiries, and give each request a clean slate for its id.

        :raises ImproperlyConfigured: USE_TZ is off: local times come twice in a night, and a session would live longer.
        """
        if not settings.USE_TZ:
            raise ImproperlyConfigured(
                "The portal needs USE_TZ = True: it stores and compares moments, not local times."
            )
        register_checks()
        request_started.connect(request_id.forget, dispatch_uid="portal.request_id")
        for signal, name in (
            (post_save, "PortalConfig"),
            (post_save, "PortalSession"),
            (post_save, "RootKey"),
            (post_delete, "PortalConfig"),
            (post_delete, "RootKey"),
        ):
            sender = self.get_model(name)
            signal.connect(credential_cache.forget_rows, sender=sender, dispatch_uid=f"portal.forget.{name}")
