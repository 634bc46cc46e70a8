"""Serves the brand's files. Their names hold a digest, so browsers may keep them for ever."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from portal.models import PortalLogo
from portal.pages.theme import icon_svg, icon_url, theme_css, theme_url

from .base import PortalPage

__all__ = ["Icon", "Logo", "Theme"]


class BrandFile(PortalPage):
    """One file made from the portal's brand. Closed portals have a brand too: their page says that they are closed."""

    http_method_names = ["get", "head"]
    serve_closed = True

    content_type: str

    def content(self) -> str | bytes:
        """Return the file."""
        raise NotImplementedError

    def url(self) -> str:
        """Return the file's present address, empty when the portal has no such file."""
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the file; an old name leads to the present one, so that a page opened before keeps its look."""
        url = self.url()
        if request.path != url:
            response: HttpResponse = HttpResponseRedirect(url) if url else HttpResponse(status=404)
            response["Cache-Control"] = "no-store"
            return response
        response = HttpResponse(self.content(), content_type=self.content_type)
        response["Cache-Control"] = "public, max-age=31536000, immutable"
        response["X-Content-Type-Options"] = "nosniff"
        # Opened by itself an SVG is a document; this one runs and loads nothing.
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response


class Theme(BrandFile):
    """``<slug>/theme.<digest>.css``."""

    content_type = "text/css; charset=utf-8"

    def content(self) -> str:
        """Return the stylesheet."""
        return theme_css(self.config)

    def url(self) -> str:
        """Return its address."""
        return theme_url(self.config)


class Icon(BrandFile):
    """``<slug>/icon.<digest>.svg``."""

    content_type = "image/svg+xml"

    def content(self) -> str:
        """Return the SVG."""
        return icon_svg(self.config)

    def url(self) -> str:
        """Return its address."""
        return icon_url(self.config)


class Logo(BrandFile):
    """``<slug>/logo.<digest>.<ext>``: the uploaded logo, and the one for dark pages."""

    _logo: PortalLogo

    def content(self) -> bytes:
        """Return the image."""
        return bytes(self._logo.content)

    def url(self) -> str:
        """Return its address; an old name leads to the logo of today."""
        name = self.kwargs["name"]
        logos = {logo.name: logo for logo in self.config.logos.defer("content")}
        found = logos.get(name) or next((logo for logo in logos.values() if not logo.dark), None)
        if found is None:
            return ""
        self._logo, self.content_type = found, found.content_type
        return reverse("portal:logo", kwargs={"slug": self.config.slug, "name": found.name})
