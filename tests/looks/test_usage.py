"""The usage page in a browser: with script and without, printed, in forced colors, from right to left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.pages.pseudo import RIGHT_TO_LEFT, pseudo_languages

from .stage import Stage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [1280, 390])
def test_everything_is_there_with_and_without_script(
    stage: Callable[..., Stage], look: Callable[..., Any], script: bool, width: int
) -> None:
    page = stage(width=width, java_script_enabled=script).show(look("usage"))
    assert page.get_by_role("heading", name="Requests per day (UTC)").is_visible()
    chart = page.get_by_role("img", name="Stacked bars from")
    assert chart.bounding_box()["height"] > 150  # type: ignore[index]
    table = page.get_by_role("table", name="Requests per day (UTC)")
    assert not table.is_visible()
    page.get_by_text("Show these numbers as a table").click()
    assert table.get_by_role("row").nth(30).is_visible()
    assert page.get_by_role("link", name="Download CSV").is_visible()
    assert page.get_by_label("Key", exact=True).locator("option").all_inner_texts()[0] == "All keys"
    assert page.get_by_role("table", name="Requests by key, last 30 days").get_by_role("link").count() == 4


def test_the_numbers_are_printed_and_the_controls_are_not(
    stage: Callable[..., Stage], look: Callable[..., Any]
) -> None:
    page = stage(width=1280).show(look("usage"))
    page.emulate_media(media="print")
    assert page.get_by_role("table", name="Requests per day (UTC)").get_by_role("row").nth(30).is_visible()
    for text in ("90 days", "Show", "Download CSV", "Show these numbers as a table"):
        assert not page.get_by_text(text, exact=True).first.is_visible()
    assert page.locator("figure svg").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_stay_apart_in_forced_colors(stage: Callable[..., Stage], look: Callable[..., Any], scheme: str) -> None:
    page = stage(width=1280, scheme=scheme, forced_colors="active").show(look("usage"))
    colors = page.locator(".leg rect").evaluate_all(
        "all => all.map(e => getComputedStyle(e)).map(s => `${s.fill} ${s.stroke}`)"
    )
    assert len(colors) == len(set(colors)) == 6
    assert colors[0].startswith(page.evaluate("getComputedStyle(document.body).color"))


@pytest.mark.parametrize("language", ["", RIGHT_TO_LEFT])
def test_charts_run_from_left_to_right(stage: Callable[..., Stage], look: Callable[..., Any], language: str) -> None:
    with pseudo_languages():
        page = stage(width=390).show(look("usage", locale=language))
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language else "ltr")
    for places in ("figure g", ".xs li"):
        left = page.evaluate(f"[...document.querySelectorAll('{places}')].map(e => e.getBoundingClientRect().left)")
        assert len(left) == 30
        assert left == sorted(left)
    axis = page.locator(".ys").bounding_box()
    bars = page.locator("figure svg").bounding_box()
    assert axis
    assert bars
    assert axis["x"] + axis["width"] <= bars["x"]


def test_a_small_chart_is_as_large_as_the_others_of_the_list(
    stage: Callable[..., Stage], look: Callable[..., Any]
) -> None:
    page = stage(width=1280).show(look("keys-usage"))
    boxes = page.evaluate(
        "[...document.querySelectorAll('.spark svg')].map(e => e.getBoundingClientRect()).map(b => [b.width, b.height])"
    )
    assert boxes == [[88, 28]] * 4
