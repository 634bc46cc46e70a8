"""The system check of the key store: KEY_STORE itself, and what the store says about its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from . import make_key_store

__all__ = ["check_key_store"]


def check_key_store(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """Return what is wrong with ``PORTAL["KEY_STORE"]``, or what the store's own ``check()`` finds."""
    if not isinstance(getattr(settings, "PORTAL", {}), dict):
        # Told as portal.E001.
        return []
    try:
        store = make_key_store()
    except ImproperlyConfigured as error:
        problem = str(error)
    except Exception as error:
        # A store may connect to something when it is made, and takes options of its own: any error is possible.
        problem = f"the store cannot be made. {type(error).__name__}: {error}"
    else:
        return store.check()
    return [
        Error(
            f"PORTAL['KEY_STORE'] names no key store: {problem}",
            hint='Write {"BACKEND": "dotted.path.of.a.KeyStore", "OPTIONS": {…}}, or leave it out.',
            id="portal.E013",
        )
    ]
