"""The security headers of every page (design decision 11)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.templatetags.static import static

from portal.http import is_secure
from portal.models import PortalConfig
from portal.origins import origin_of

__all__ = ["add_page_headers"]

_PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def _static_origin() -> list[str]:
    # Static files may live on another host; a path-only STATIC_URL is 'self' already.
    origin = origin_of(static("portal/portal.css"))
    return [origin] if origin else []


def _policy(config: PortalConfig | None) -> str:
    static_sources = ["'self'", *_static_origin()]
    images = list(static_sources)
    ancestors = ["'none'"]
    if config is not None:
        logo = origin_of(config.logo_url) if config.logo_url else None
        images += [logo] if logo else []
        # Through the parser at render too: a stored text must not end this directive and begin another.
        ancestors = list(filter(None, map(origin_of, config.frame_ancestors))) or ancestors
    directives = {
        "default-src": ["'none'"],
        "style-src": static_sources,
        "script-src": static_sources,
        "img-src": images,
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ancestors,
        "require-trusted-types-for": ["'script'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def add_page_headers(
    response: HttpResponseBase, request: HttpRequest, config: PortalConfig | None, *, code_in_url: bool = False
) -> None:
    """Add the headers to ``response``; a host's middleware leaves headers that are set here alone.

    :param code_in_url: an exchange code is in the address. Then only the origin is sent as Referer: with the full address
        our own access log would get the code with each asset. Never no-referrer: the form's Origin would become null.
    """
    response["Content-Security-Policy"] = _policy(config)
    response["Referrer-Policy"] = "strict-origin" if code_in_url else "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    # "private" too: a host's cache middleware of some Django releases stops at nothing else.
    response["Cache-Control"] = "no-store, private"
    response["Permissions-Policy"] = _PERMISSIONS_POLICY
    response["X-Robots-Tag"] = "noindex"
    if is_secure(request):
        response["Cross-Origin-Opener-Policy"] = "same-origin"
    if config is not None and config.frame_ancestors:
        # X-Frame-Options cannot name origins; frame-ancestors can, and is what browsers go by.
        response.xframe_options_exempt = True  # type: ignore[attr-defined]
