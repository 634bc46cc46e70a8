"""From the one color that an operator picks to a palette that everybody can read, in light and in dark.

No color is ever refused: where the brand itself has too little contrast, a neighbor in the same hue is used instead, found
by moving its lightness in OKLCH, a color space in which equal steps look equal. The ratios are WCAG 2.2's (1.4.3: 4.5 for
text, 1.4.11: 3 for shapes) with a little room for rounding.

The brand shows in few places: the logo tile, the primary button, the line under the current tab, links, and the first
series of charts. Focus rings, status and danger never use it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

__all__ = ["SCHEMES", "Palette", "Scheme", "contrast", "is_color", "palette", "stylesheet"]

WHITE, BLACK = "#ffffff", "#000000"

TEXT_RATIO = 4.6
SHAPE_RATIO = 3.1
EDGE_RATIO = 3.0

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z", re.ASCII)

#: Below this chroma a color is a gray: as text it is replaced by ink, because a gray link is no link.
_GRAY = 0.03
_LIGHTNESS_STEP = 0.01
#: Hues of red and amber, which mean "rejected" in every chart, and how near a series may come.
_STATUS_HUES = (27.0, 72.0)
_HUE_DISTANCE = 40.0
#: A full-height bar of #ffff00 glares on a dark page.
_DARK_SERIES_LIGHTNESS = 0.80


class Scheme(NamedTuple):
    """The fixed colors of one color scheme that a brand color meets; the same as in portal.css."""

    page: str
    surface: str
    ink: str
    control: str
    neutral_series: str
    tint: float
    #: Which way a color moves to gain contrast: darker on light pages, lighter on dark ones.
    direction: int


SCHEMES = {
    "light": Scheme("#fafafb", "#ffffff", "#15171c", "#838a98", "#566073", 0.08, -1),
    "dark": Scheme("#0e1014", "#15181d", "#eceef2", "#6f7684", "#94a0b5", 0.16, +1),
}


class Palette(NamedTuple):
    """The brand's colors in one scheme, ``#rrggbb`` each. The names are those of the CSS properties."""

    brand: str
    brand_on: str
    brand_hover: str
    brand_edge: str
    brand_text: str
    brand_tint: str
    series_valid: str


class _Oklch(NamedTuple):
    lightness: float
    chroma: float
    hue: float


def is_color(value: str) -> bool:
    """Say whether ``value`` is ``#rrggbb``, which is all that may reach a stylesheet."""
    return _COLOR.match(value) is not None


def _channels(color: str) -> list[float]:
    return [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]


def _hex(channels: Iterable[float]) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, channel)) * 255):02x}" for channel in channels)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colors (WCAG 2.2), from 1 to 21."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = map(_linear, _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklch(color: str) -> _Oklch:
    red, green, blue = map(_linear, _channels(color))
    # The matrices are those of the OKLab definition (Ottosson 2020).
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return _Oklch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def _from_oklch(color: _Oklch) -> str:
    """Return the nearest color of this lightness and hue that a screen can show: chroma gives way."""
    chroma = color.chroma
    while True:
        a = chroma * math.cos(math.radians(color.hue))
        b = chroma * math.sin(math.radians(color.hue))
        long = (color.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (color.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (color.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
        if chroma < 0.002 or all(-0.001 <= channel <= 1.001 for channel in linear):
            return _hex(_gamma(min(1.0, max(0.0, channel))) for channel in linear)
        chroma *= 0.96


def _mix(color: str, other: str, share: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return _hex(one * share + two * (1 - share) for one, two in pairs)


def _reach(color: str, backgrounds: list[str], ratio: float, direction: int, fallback: str) -> str:
    """Return ``color``, moved just far enough to have ``ratio`` on every background; ``fallback`` if it cannot."""
    start = _to_oklch(color)
    if start.chroma < _GRAY:
        return fallback
    lightness = start.lightness
    found = color
    while min(contrast(found, background) for background in backgrounds) < ratio:
        lightness += _LIGHTNESS_STEP * direction
        found = _from_oklch(start._replace(lightness=lightness))
    return found


def _clashes(color: str) -> bool:
    _, chroma, hue = _to_oklch(color)
    distances = (abs(hue - status) for status in _STATUS_HUES)
    return chroma > 0.05 and any(min(distance, 360 - distance) < _HUE_DISTANCE for distance in distances)


@lru_cache(maxsize=512)
def palette(color: str, scheme_name: str) -> Palette:
    """Return the palette of ``color`` (``#rrggbb``) in the scheme ``light`` or ``dark``.

    On ``brand`` text in ``brand_on`` has 4.58:1 or more (one of pure white and black always has), on ``brand_hover`` more;
    ``brand_text`` has 4.6:1 on page, card and tint, ``brand_edge`` 3:1 and ``series_valid`` 3.1:1 against the card.
    """
    color = color.lower()
    scheme = SCHEMES[scheme_name]
    on = max((WHITE, BLACK), key=lambda ink: contrast(ink, color))
    tint = _mix(color, scheme.surface, scheme.tint)
    backgrounds = [scheme.page, scheme.surface, tint]
    series = scheme.neutral_series
    if not _clashes(color):
        series = _reach(color, backgrounds, SHAPE_RATIO, scheme.direction, scheme.neutral_series)
    shade = _to_oklch(series)
    if scheme_name == "dark" and shade.lightness > _DARK_SERIES_LIGHTNESS:
        series = _from_oklch(shade._replace(lightness=_DARK_SERIES_LIGHTNESS))
    edge = color
    if contrast(color, scheme.surface) < EDGE_RATIO:
        edge = _reach(color, backgrounds, SHAPE_RATIO, scheme.direction, scheme.control)
    return Palette(
        brand=color,
        brand_on=on,
        brand_hover=_mix(color, BLACK if on == WHITE else WHITE, 0.86),
        brand_edge=edge,
        brand_text=_reach(color, backgrounds, TEXT_RATIO, scheme.direction, scheme.ink),
        brand_tint=tint,
        series_valid=series,
    )


@lru_cache(maxsize=512)
def stylesheet(color: str) -> str:
    """Return the CSS that brands the pages with ``color`` (``#rrggbb``), for both schemes."""
    light, dark = (
        "".join(f"--{name.replace('_', '-')}:{value};" for name, value in palette(color, scheme)._asdict().items())
        for scheme in SCHEMES
    )
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
