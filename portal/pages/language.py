"""Which language a page speaks: the session's, else the portal's, else what the browser asks for, else English."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext

from portal.models import PortalConfig

__all__ = ["page_language"]

#: A text of ours that every translation has.
_SAMPLE = "You are signed out"


def page_language(request: HttpRequest, config: PortalConfig | None, session_locale: str = "") -> str:
    """Return the first wished-for language that these pages are translated into.

    A page that calls itself German and is English would be read aloud with German sounds (WCAG 3.1.1).
    """
    for wish in (session_locale, config.locale if config else "", translation.get_language_from_request(request)):
        if wish:
            try:
                language = translation.get_supported_language_variant(wish)
            except LookupError:
                continue
            if _is_spoken(language):
                return language
    return "en"


def _is_spoken(language: str) -> bool:
    if language.partition("-")[0] == "en":
        return True
    with translation.override(language):
        return gettext(_SAMPLE) != _SAMPLE
