"""The contrast report: what becomes of a portal's color in light and in dark, with the ratios that WCAG 2.2 asks for."""

from __future__ import annotations

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.brand import SCHEMES, contrast, is_color, palette

__all__ = ["Shade", "contrast_report", "shades"]


@dataclass(frozen=True, slots=True)
class Shade:
    """One use of the brand in one scheme, colors as ``#rrggbb``.

    :param color: what takes the brand's place here.
    :param foreground: what is seen on ``background``; one of the two is ``color``.
    :param is_text: text needs a ratio of 4.5, shapes one of 3.
    :param ratio: of several backgrounds the least, cut to two digits so that it never flatters.
    :param adjusted: ``color`` is a neighboring shade or a neutral one, not the brand itself.
    """

    color: str
    foreground: str
    background: str
    is_text: bool
    ratio: float
    adjusted: bool


def shades(brand: str) -> dict[str, list[Shade]]:
    """Return, by use, the shade in light and the one in dark."""
    uses: dict[str, list[Shade]] = {}
    for name, scheme in SCHEMES.items():
        colors = palette(brand, name)
        pages, card = [scheme.page, scheme.surface, colors.brand_tint], [scheme.surface]
        for use, color, foreground, backgrounds, is_text in (
            (_("Text on brand"), colors.brand, colors.brand_on, [colors.brand], True),
            (_("Brand as text"), colors.brand_text, colors.brand_text, pages, True),
            (_("Border"), colors.brand_edge, colors.brand_edge, card, False),
            (_("Chart series"), colors.series_valid, colors.series_valid, card, False),
        ):
            ratio, background = min((contrast(foreground, behind), behind) for behind in backgrounds)
            shown = int(ratio * 100) / 100
            uses.setdefault(use, []).append(
                Shade(color, foreground, background, is_text, shown, adjusted=color != colors.brand)
            )
    return uses


def contrast_report(color: str) -> SafeString:
    """Return the report as HTML; without a color, a sentence instead."""
    # Checked here too: a row may have been written past the model's validators.
    uses = shades(color) if is_color(color) else {}
    return render_to_string("portal/admin/contrast.html", {"color": color.lower(), "uses": uses})
