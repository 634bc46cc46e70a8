"""Content negotiation: there is one representation, whatever Accept says."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

__all__ = ["JSONOnly"]


class JSONOnly(BaseContentNegotiation):
    """Always JSON, never 406: a client that cannot read JSON cannot read a refusal in it either."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """Return the one parser; it judges the content type itself."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer and its media type."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
