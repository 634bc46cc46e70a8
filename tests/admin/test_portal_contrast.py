"""The contrast report beside a portal's color."""

from __future__ import annotations

import re
from html import unescape

import pytest

from portal.brand import SCHEMES, contrast, palette
from tests.admin.test_portal_form import change_url
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db


def _text(cell):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def report(client, color):
    """Return the report's rows as lists of cells without markup, and the report itself."""
    page = client.get(change_url(PortalConfigFactory(primary_color=color))).content.decode()
    found = re.search(r'<div class="portal-contrast">.*?</table>', page, re.DOTALL)
    assert found, page
    words = re.sub(r"<svg.*?</svg>", "", found[0], flags=re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", words, re.DOTALL)
    plain = [[_text(cell) for cell in re.split(r"</t[hd]>", row)[:-1]] for row in rows]
    return plain, found[0]


def test_a_color_that_is_read_easily_in_light_and_adjusted_in_dark(operator):
    rows, html = report(operator, "#0f6b4f")
    assert rows[0] == ["Use", "Light", "Dark"]
    assert rows[1] == ["Brand", "#0f6b4f"]
    uses = {row[0]: row[1:] for row in rows[2:]}
    assert set(uses) == {"Text on brand", "Brand as text", "Border", "Chart series"}
    light, dark = uses["Brand as text"]
    assert light.startswith("#0f6b4f ")
    assert "adjusted" not in light
    assert dark.endswith(" adjusted")
    assert f'fill="{palette("#0f6b4f", "dark").brand_text}"' in html
    assert "style=" not in html


@pytest.mark.parametrize("color", ["#000000", "#FFFFFF", "#ffff00", "#ff0000", "#777777", "#0f6b4f", "#2563eb"])
def test_every_ratio_is_what_it_says_and_enough(operator, color):
    rows, _html = report(operator, color)
    for row in rows[2:]:
        use = row[0]
        needed = 3 if use in {"Border", "Chart series"} else 4.5
        for name, cell in zip(SCHEMES, row[1:], strict=True):
            shade, ratio = re.fullmatch(r"(#[0-9a-f]{6}) ([\d.]+):1(?: adjusted)?", cell).groups()
            assert float(ratio) >= needed
            assert cell.endswith("adjusted") == (shade != color.lower())
            if use == "Border":
                assert 0 <= contrast(shade, SCHEMES[name].surface) - float(ratio) < 0.01
            if use == "Brand as text":
                scheme, tint = SCHEMES[name], palette(color, name).brand_tint
                least = min(contrast(shade, behind) for behind in (scheme.page, scheme.surface, tint))
                assert 0 <= least - float(ratio) < 0.01
            if use == "Text on brand":
                assert shade == color.lower()


@pytest.mark.parametrize("color", ["", "red;}*{"])
def test_without_a_color_there_is_a_sentence(operator, config, color):
    type(config).objects.filter(pk=config.pk).update(primary_color=color)
    page = operator.get(change_url(config)).content.decode()
    assert "No color is saved yet" in page
    assert "<rect" not in page
