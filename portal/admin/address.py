"""Where a portal is, for links in the admin; the admin itself may live on another host."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.translation import gettext_lazy

from portal.links import portal_base

__all__ = ["NO_ADDRESS", "portal_address"]

#: What the admin says instead of an address.
NO_ADDRESS = gettext_lazy(
    'Set PORTAL["BASE_URL"] to the public address under which portal.urls is included, '
    "for example “https://example.com/portal”."
)


def portal_address(slug: str, request: HttpRequest) -> str:
    """Return the full address of the portal ``slug``, ending in a slash; empty when nothing says where it is."""
    try:
        return portal_base(slug, request=request)
    except (ImproperlyConfigured, NoReverseMatch):
        return ""
