"""The whole document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings

import portal
from portal.conf import portal_settings

# These two register what they hold with drf-spectacular.
from . import fields as fields
from . import operations as operations
from . import security as security

__all__ = ["document"]

_TEXT = """\
Every operation is a `POST` of a JSON object in UTF-8, of at most 256 KiB; an empty body is the same as `{}`. A member that
an operation does not list is refused. A success is status 200 with `data`; an error has `error` in its place.
Times are Unix milliseconds. A member without a value is left out, never null.

Compare `status` and the end of `type` of an error: they do not change. Its `detail` is for people.

`portal.createSession` and its like follow the contract of Unkey's Customer Portal, so that its official clients work
unchanged.
"""
# Where the tutorial serves it.
_ELSEWHERE = {"url": "http://127.0.0.1:8000/portal", "description": "Where you included portal.urls"}


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the operations that this project serves.

    Addresses are those of PORTAL["BASE_URL"] and PORTAL["ERROR_DOCS_URL"].
    """
    base = portal_settings.BASE_URL
    ours = {
        "OAS_VERSION": "3.1.1",
        "TITLE": "Customer Portal",
        "VERSION": portal.__version__,
        "DESCRIPTION": _TEXT,
        "SERVERS": [{"url": base} if base else _ELSEWHERE],
        "POSTPROCESSING_HOOKS": [],
        "SORT_OPERATIONS": False,
    }
    # What the project has set for its own schema is not about this one.
    defaults = {
        name: value
        for name, value in SPECTACULAR_DEFAULTS.items()
        if name != "DEFAULT_GENERATOR_CLASS" and not name.startswith("SERVE_")
    }
    with patched_settings({**defaults, **ours}):
        made: dict[str, Any] = SchemaGenerator(urlconf="portal.api.urls").get_schema(public=True)
    return made
