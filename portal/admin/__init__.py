"""The portal in Django's admin, one module a model. Django imports it where ``django.contrib.admin`` is installed."""

from . import config, event, root_key, session

__all__ = ["config", "event", "root_key", "session"]
