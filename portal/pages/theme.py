"""The portal's brand as files of its own: a stylesheet and an icon, named by what is in them."""

from __future__ import annotations

import hashlib

from django.urls import reverse
from django.utils.html import format_html

from portal.brand import is_color, palette, stylesheet
from portal.models import PortalConfig

__all__ = ["icon_svg", "icon_url", "logo_urls", "theme_css", "theme_url"]

_NEUTRAL = "#15171c"


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def theme_css(config: PortalConfig) -> str:
    """Return the stylesheet of the portal's color; empty without one, then portal.css's neutral ink stands."""
    color = _color(config)
    return stylesheet(color) if color else ""


def _color(config: PortalConfig) -> str:
    # Checked at render too: a row may have been written past the model's validators (security requirement 38).
    return config.primary_color if is_color(config.primary_color) else ""


def theme_url(config: PortalConfig) -> str:
    """Return the address of :func:`theme_css`, or an empty string without a color."""
    css = theme_css(config)
    return reverse("portal:theme", kwargs={"slug": config.slug, "digest": _digest(css)}) if css else ""


def icon_svg(config: PortalConfig) -> str:
    """Return the portal's icon: its first letter on its color."""
    colors = palette(_color(config) or _NEUTRAL, "light")
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{}"/>'
        '<text x="16" y="22.5" fill="{}" font-family="system-ui,sans-serif" font-size="18" font-weight="700" '
        'text-anchor="middle">{}</text></svg>',
        colors.brand,
        colors.brand_on,
        config.app_name[:1].upper(),
    )


def icon_url(config: PortalConfig) -> str:
    """Return the address of :func:`icon_svg`."""
    return reverse("portal:icon", kwargs={"slug": config.slug, "digest": _digest(icon_svg(config))})


def logo_urls(config: PortalConfig) -> tuple[str, str]:
    """Return the addresses of the logo and of the one for dark pages; empty where there is none.

    An uploaded logo comes before a logo URL: it is served from here, so no other host sees the visitor.
    """
    light, dark = (
        reverse("portal:logo", kwargs={"slug": config.slug, "name": name}) if name else ""
        for name in (config.logo_file, config.logo_dark_file)
    )
    return light or config.logo_url, dark
