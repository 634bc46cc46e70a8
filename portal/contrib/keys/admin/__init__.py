"""API keys in Django's admin. Django imports it where ``django.contrib.admin`` is installed."""

from . import key

__all__ = ["key"]
