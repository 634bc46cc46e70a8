"""Which language a page speaks: the session's, else the portal's, else what the browser asks for, else the host's."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import translation

from portal.models import PortalConfig

__all__ = ["page_language"]


def page_language(request: HttpRequest, config: PortalConfig | None, session_locale: str = "") -> str:
    """Return a language code that Django has; a wish that it does not have is passed over."""
    for wish in (session_locale, config.locale if config else ""):
        if wish:
            try:
                return translation.get_supported_language_variant(wish)
            except LookupError:
                continue
    return translation.get_language_from_request(request)
