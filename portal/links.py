"""Addresses that leave the portal: where a user is redirected to (design decision 10), where an error is explained."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from .conf import portal_settings

__all__ = ["error_bases", "portal_base", "portal_link"]


def error_bases() -> tuple[str, str | None]:
    """Return where the pages about errors are: of the contract's codes, and of this app's own, None without BASE_URL."""
    return portal_settings.ERROR_DOCS_URL, f"{portal_settings.BASE_URL}/errors" if portal_settings.BASE_URL else None


def portal_base(slug: str, *, request: HttpRequest | None = None, trust_request: bool = False) -> str:
    """Return the absolute address of the portal ``slug``, ending in a slash.

    It comes from PORTAL["BASE_URL"]. Without that, from ``request``, but only in DEBUG or where ``trust_request`` says that
    the host vouches for it: an attacker's Host header would otherwise lead users, with their codes, to the attacker.

    :raises ImproperlyConfigured: there is nothing to take the address from; the text names the setting.
    """
    if portal_settings.BASE_URL:
        return f"{portal_settings.BASE_URL}/{slug}/"
    if request is not None and (trust_request or settings.DEBUG):
        return request.build_absolute_uri(reverse("portal:home", kwargs={"slug": slug}))
    raise ImproperlyConfigured(
        f'Set PORTAL["BASE_URL"] to the public address of the portal, for example "{_example(slug)}".'
    )


def _example(slug: str) -> str:
    """Return what BASE_URL may be: in DEBUG the development server, if it has the pages."""
    if settings.DEBUG:
        with suppress(NoReverseMatch):
            path = reverse("portal:home", kwargs={"slug": slug})
            return f"http://127.0.0.1:8000{path.removesuffix(f'/{slug}/')}"
    return "https://example.com/portal"


def portal_link(base: str, code: str, *, parameter: str = "session") -> str:
    """Return the one-time link of an exchange code under ``base``, which :func:`portal_base` returned.

    :param parameter: ``session``, or ``code`` in the newer dialect; the landing page takes both.
    """
    # Nothing in a code needs to be quoted.
    return f"{base}?{parameter}={code}"
