"""Any brand color gives a palette that can be read (ui-spec 2.9)."""

from __future__ import annotations

import itertools
import re

import pytest

from portal.brand import SCHEMES, contrast, palette, stylesheet

#: 16 levels a channel: 4,096 colors.
LEVELS = [f"{level * 17:02x}" for level in range(16)]
COLORS = ["#" + "".join(channels) for channels in itertools.product(LEVELS, repeat=3)]


def check(color, scheme_name):
    scheme, colors = SCHEMES[scheme_name], palette(color, scheme_name)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", value) for value in colors)
    assert contrast(colors.brand, colors.brand_on) >= 4.58
    assert contrast(colors.brand_hover, colors.brand_on) >= 4.58
    for background in (scheme.page, scheme.surface, colors.brand_tint):
        assert contrast(colors.brand_text, background) >= 4.5
    assert contrast(colors.brand_edge, scheme.surface) >= 3.0
    assert contrast(colors.series_valid, scheme.surface) >= 3.0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_4096_colors_can_be_read(scheme):
    for color in [*COLORS, "#2563eb", "#008750", "#777777"]:
        check(color, scheme)


def test_a_fine_color_is_left_alone():
    colors = palette("#2563EB", "light")
    assert colors.brand == colors.brand_text == colors.brand_edge == colors.series_valid == "#2563eb"
    assert colors.brand_on == "#ffffff"


def test_red_brands_do_not_chart_in_the_color_of_rejections():
    assert palette("#dc2626", "light").series_valid == SCHEMES["light"].neutral_series
    assert palette("#2563eb", "dark").series_valid != SCHEMES["dark"].neutral_series


def test_a_white_button_has_an_edge_and_gray_links_are_ink():
    colors = palette("#ffffff", "light")
    assert colors.brand_edge == SCHEMES["light"].control
    assert colors.brand_text == SCHEMES["light"].ink


def test_yellow_does_not_glare_in_dark_charts():
    assert palette("#ffff00", "dark").series_valid != "#ffff00"
    assert palette("#ffff00", "dark").brand == "#ffff00"


def test_the_stylesheet_holds_colors_and_nothing_else():
    css = stylesheet("#2563EB")
    colors = r":root\{(--[a-z-]+:#[0-9a-f]{6};){7}\}"
    assert re.fullmatch(colors + r"@media screen and \(prefers-color-scheme:dark\)\{" + colors + r"\}\n", css)
