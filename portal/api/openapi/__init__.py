"""The HTTP API as an OpenAPI document, made by drf-spectacular (the extra ``openapi``).

Bodies come from the serializers, errors from the catalogue and its pages, credentials from the authentication classes;
what operations answer is written in the modules ``about_…``. Nothing at run time imports this package.

Importing it registers extensions with drf-spectacular. So a host that makes a schema of its own views with drf-spectacular
imports it too, in the ``ready()`` of an app: then portal endpoints, and own views that portal sessions, root keys or API
keys open, are described there as here.
"""

from __future__ import annotations

from .document import document

__all__ = ["document"]
