"""Everything fits: no sideways scroll, no broken name, date or number, in longer words and from right to left too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.pages.pseudo import LONG, RIGHT_TO_LEFT, pseudo_languages
from tests.pages.states import STATES

from .stage import Stage

pytestmark = pytest.mark.browser

SPACING = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    + " p { margin-block-end: 2em !important }");
  document.adoptedStyleSheets = [sheet];
}"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("language", ["", LONG, RIGHT_TO_LEFT])
def test_no_state_scrolls_sideways_on_the_smallest_phone(
    stage: Callable[..., Stage], look: Callable[..., Any], language: str
) -> None:
    window = stage(width=320)
    wrong = {}
    with pseudo_languages():
        for name in STATES:
            page = window.show(look(name, locale=language))
            plain = page.evaluate(SIDEWAYS)
            page.evaluate(SPACING)
            if plain or page.evaluate(SIDEWAYS):
                wrong[name] = plain, page.evaluate(SIDEWAYS)
    assert wrong == {}


# Where the table is at its narrowest, where it is cards of three columns, and where those are at their narrowest.
@pytest.mark.parametrize("width", [930, 928, 740])
@pytest.mark.parametrize("language", ["", LONG, RIGHT_TO_LEFT])
def test_the_keys_fit_whatever_the_window(
    stage: Callable[..., Stage], look: Callable[..., Any], width: int, language: str
) -> None:
    window = stage(width=width)
    with pseudo_languages():
        for name in ("keys", "keys-long-names", "keys-preview", "keys-usage", "keys-usage-many", "key"):
            page = window.show(look(name, locale=language))
            assert page.evaluate(SIDEWAYS) == 0, name
            # No name of two words is broken within a word to make room, and the verbs stand side by side.
            if not language and name in {"keys", "keys-usage"}:
                assert max(heights(page, ".key a")) < 60
                assert max(heights(page, ".row-acts")) < 45


def heights(page: Any, selector: str) -> list[int]:
    return page.locator(selector).evaluate_all("found => found.map(e => e.offsetHeight)")


def test_no_date_and_no_number_is_broken(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    wide, narrow = stage(width=1280), stage(width=390)
    for name in ("keys", "keys-usage"):
        assert max(heights(wide.show(look(name)), ".stack .sub:has(time), [data-label='Last used'] span")) < 30
    response = look("usage-long-names")
    for window in (wide, narrow):
        assert max(heights(window.show(response), ".strip dt + dd")) < 40


def test_cards_without_verbs_keep_no_room_for_them(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=390).show(look("keys-read-only"))
    assert sorted(set(heights(page, ".a:has(.row-acts)"))) == [0]
    # Why there are none is still said.
    assert min(heights(page, ".a:not(:has(.row-acts))")) > 20


def test_small_charts_take_no_more_room_than_they_need(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=1280).show(look("keys-usage"))
    assert max(page.locator(".use").evaluate_all("cells => cells.map(e => e.offsetWidth)")) < 220


def test_names_begin_where_the_page_does(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    """From right to left too a name that is cut off keeps its beginning, and what is below it is flush with it."""
    with pseudo_languages():
        page = stage(width=390).show(look("keys-usage", locale=RIGHT_TO_LEFT))
    sides = """all => all.map(e => { const text = document.createRange(); text.selectNode(e.firstChild);
      return [e.getBoundingClientRect().left, text.getBoundingClientRect().left, text.getBoundingClientRect().right] })"""
    (box, begins, _), *_ = page.locator(".nm").evaluate_all(sides)
    assert begins >= box
    assert len({round(right) for _, _, right in page.locator(".key bdi, .key code").evaluate_all(sides)}) == 1
