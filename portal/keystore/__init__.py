"""The key store of this project: whoever keeps the API keys that end users manage in the portal."""

from __future__ import annotations

import threading
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from portal.conf import portal_settings

from .base import KeyStore
from .guard import GuardedKeyStore
from .none import NoKeyStore
from .policy import KeyPolicy

__all__ = ["DEFAULT_APP", "KeyPolicy", "KeyStore", "get_key_store", "make_key_store"]

#: The app whose store is used when KEY_STORE says nothing.
DEFAULT_APP = "portal.contrib.keys"
_DEFAULT_BACKEND = f"{DEFAULT_APP}.store.DatabaseKeyStore"

_made: tuple[Any, GuardedKeyStore] | None = None
_making = threading.Lock()


def get_key_store() -> GuardedKeyStore:
    """Return the store that KEY_STORE names, the same object as long as the setting is the same.

    :raises ImproperlyConfigured: the setting does not name one; ``manage.py check`` says so (portal.E013).
    """
    global _made
    setting = (portal_settings.KEY_STORE, apps.is_installed(DEFAULT_APP))
    made = _made
    if made is None or made[0] != setting:
        with _making:
            made = _made
            if made is None or made[0] != setting:
                _made = made = setting, GuardedKeyStore(make_key_store())
    return made[1]


def make_key_store() -> KeyStore:
    """Return a new store as KEY_STORE says; what :func:`get_key_store` guards and keeps.

    :raises ImproperlyConfigured: with what is wrong, as the end of a sentence. What the store's class itself raises is its
        own to say.
    """
    setting: Any = portal_settings.KEY_STORE
    if setting is None:
        if not apps.is_installed(DEFAULT_APP):
            return NoKeyStore()
        setting = {"BACKEND": _DEFAULT_BACKEND}
    if not isinstance(setting, dict) or not isinstance(setting.get("BACKEND"), str):
        raise ImproperlyConfigured("it is not a dictionary with a BACKEND.")
    if unknown := sorted(map(str, set(setting) - {"BACKEND", "OPTIONS"})):
        raise ImproperlyConfigured(f"it has no key {unknown[0]!r}.")
    options = setting.get("OPTIONS", {})
    if not isinstance(options, dict):
        raise ImproperlyConfigured("its OPTIONS are not a dictionary.")
    try:
        backend = import_string(setting["BACKEND"])
    except ImportError as error:
        raise ImproperlyConfigured(f"its BACKEND cannot be imported. {error}") from error
    if not isinstance(backend, type) or not issubclass(backend, KeyStore):
        raise ImproperlyConfigured("its BACKEND is not a subclass of portal.keystore.KeyStore.")
    return backend(**options)
