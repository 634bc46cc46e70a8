"""The app's configuration."""

from __future__ import annotations

import atexit

from django.apps import AppConfig
from django.core.signals import request_finished
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _

from portal import credential_cache

__all__ = ["PortalKeysConfig"]


class PortalKeysConfig(AppConfig):
    """Registers the app as ``portal_keys``; list it in INSTALLED_APPS after ``portal``."""

    name = "portal.contrib.keys"
    label = "portal_keys"
    verbose_name = _("API keys")
    default_auto_field = "django.db.models.BigAutoField"

    #: The operations that this app adds to the portal's HTTP API.
    portal_api_urls = "portal.contrib.keys.urls"

    def ready(self) -> None:
        """Have what verification notes written after requests and at the end of the process, and forget keys that change."""
        from .recorder import recorder

        sender = self.get_model("ApiKey")
        for signal in (post_save, post_delete):
            signal.connect(credential_cache.forget_rows, sender=sender, dispatch_uid="portal_keys.forget")
        request_finished.connect(recorder.flush_if_due, dispatch_uid="portal_keys.recorder")
        atexit.register(recorder.flush)
