"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["PortalKeysConfig"]


class PortalKeysConfig(AppConfig):
    """Registers the app as ``portal_keys``; list it in INSTALLED_APPS after ``portal``."""

    name = "portal.contrib.keys"
    label = "portal_keys"
    verbose_name = _("API keys")
    default_auto_field = "django.db.models.BigAutoField"
