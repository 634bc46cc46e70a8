"""What a design engineer would check on every state: axe, other media, focus, weight, nothing from elsewhere."""

from __future__ import annotations

import gzip
import itertools
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe

import portal
from tests.pages.pseudo import RIGHT_TO_LEFT, pseudo_languages
from tests.pages.states import STATES

from .stage import Stage

pytestmark = pytest.mark.browser

STATIC = Path(portal.__file__).parent / "static" / "portal"
BRANDS = ["#2563eb", "#ffff00", "#000000", "#ffffff", "#dc2626", "#008750"]
WIDTHS = [1280, 390, 320]
SCHEMES = ["light", "dark"]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # Without a list of all that is right, which takes longer than the checks.
    "resultTypes": ["violations"],
}

#: The whole matrix, and a sample in which each state meets each brand, width and scheme in turn.
MATRIX = list(itertools.product(STATES, BRANDS, WIDTHS, SCHEMES))
SAMPLE = [
    (name, BRANDS[index % 6], WIDTHS[index % 3], SCHEMES[(index + index // 6) % 2]) for index, name in enumerate(STATES)
] + [
    (name, BRANDS[(index + 3) % 6], WIDTHS[(index + 1) % 3], SCHEMES[(index + 1 + index // 6) % 2])
    for index, name in enumerate(STATES)
]


def violations(page: Any) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def check_axe(stage: Callable[..., Stage], look: Callable[..., Any], cases: list[tuple[str, str, int, str]]) -> None:
    # One page for all widths and schemes. Nothing moves, so that no color is read on its way from one scheme to the other.
    window = stage(width=1280, reduced_motion="reduce")
    wrong = {}
    for (name, brand), forms in itertools.groupby(cases, key=lambda case: case[:2]):
        page = window.show(look(name, primary_color=brand))
        for _, _, width, scheme in forms:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if found := violations(page):
                wrong[name, brand, width, scheme] = found
    assert wrong == {}


def test_axe_finds_nothing_in_the_sample(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    check_axe(stage, look, SAMPLE)


@pytest.mark.matrix
@pytest.mark.parametrize("brand", BRANDS)
def test_axe_finds_nothing_in_the_whole_matrix(
    stage: Callable[..., Stage], look: Callable[..., Any], brand: str
) -> None:
    check_axe(stage, look, [case for case in MATRIX if case[1] == brand])


def test_axe_finds_nothing_from_right_to_left(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = stage(width=390)
    with pseudo_languages():
        for name in ("enter", "session", "preview", "keys-usage", "key-rotate", "reveal", "usage"):
            assert violations(window.show(look(name, locale=RIGHT_TO_LEFT))) == []


def test_targets_can_be_hit(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    """WCAG 2.5.8: 24 pixels; links within a sentence are excepted."""
    window = stage(width=390)
    for name in STATES:
        page = window.show(look(name))
        small = page.evaluate(
            """() => [...document.querySelectorAll("a, button")].filter(e => !e.closest("p.lead, .note") && e.offsetParent
                 && !e.classList.contains("skip")).map(e => [e.textContent.trim(), e.getBoundingClientRect()])
                 .filter(([, box]) => box.height < 24 || box.width < 24).map(([text]) => text)"""
        )
        assert small == [], name


@pytest.mark.parametrize("media", [{"forced_colors": "active"}, {"media": "print"}, {"reduced_motion": "reduce"}])
def test_other_media_keep_the_words(
    stage: Callable[..., Stage], look: Callable[..., Any], media: dict[str, str]
) -> None:
    window = stage(width=1280)
    page = window.show(look("session"))
    page.emulate_media(**media)
    assert page.get_by_role("heading", name="Your session").is_visible()
    assert page.get_by_text("user_123").is_visible()
    assert page.get_by_role("button", name="Sign out").first.is_visible() == ("media" not in media)


def test_keys_are_printed_black_on_white_without_what_can_be_done(
    stage: Callable[..., Stage], look: Callable[..., Any]
) -> None:
    page = stage(width=1280, scheme="dark").show(look("keys-usage"))
    page.emulate_media(media="print")
    assert page.locator(".card").evaluate("card => getComputedStyle(card).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_role("rowheader", name="Staging").is_visible()
    for text in ("Create key", "Edit", "Rotate", "Revoke", "End old secret now", "Search"):
        assert not page.get_by_text(text).first.is_visible(), text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_chosen_stands_out_in_forced_colors(
    stage: Callable[..., Stage], look: Callable[..., Any], scheme: str
) -> None:
    page = stage(width=1280, scheme=scheme, forced_colors="active").show(look("usage"))
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    links = page.locator(".tabs a, .seg a").all()
    assert {link.get_attribute("aria-current") for link in links} >= {None, "page"}
    for link in links:
        border = link.evaluate("link => getComputedStyle(link).borderBottomColor")
        assert (border != ground) == bool(link.get_attribute("aria-current")), link.inner_text()


# Half an hour from others, and west of UTC, where some of it is the day before.
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("reader", ["en-US", "de-DE"])
def test_times_are_the_readers_own_as_the_server_would_write_them(
    stage: Callable[..., Stage], look: Callable[..., Any], zone: str, reader: str
) -> None:
    window = stage(width=390, timezone_id=zone, locale=reader)
    for name in ("keys", "key", "key-edit", "session"):
        shown = (
            window.show(look(name))
            .locator("time")
            .evaluate_all("all => all.map(e => [e.dateTime, e.textContent, e.title])")
        )
        assert shown
        for machine, text, title in shown:
            at = datetime.fromisoformat(machine)
            assert title == f"{at.day} {at:%b %Y, %H:%M} UTC"
            at = at.astimezone(ZoneInfo(zone))
            assert text == f"{at.day} {at:%b %Y, %H:%M}"


def test_times_are_written_in_the_same_order_in_every_language(
    stage: Callable[..., Stage], look: Callable[..., Any]
) -> None:
    window = stage(width=390, timezone_id="UTC")
    with pseudo_languages():
        shown = window.show(look("session", locale=RIGHT_TO_LEFT)).locator("time").all_inner_texts()
    assert all(re.fullmatch(r"\d{1,2} \D+ 20\d\d, \d\d:\d\d", text, re.ASCII) for text in shown)


def test_without_a_script_times_are_in_utc_and_say_so(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    window = stage(width=1280, timezone_id="Asia/Tokyo", java_script_enabled=False)
    assert window.show(look("session")).locator("dd time").first.inner_text().endswith("UTC")
    # Only what the script has done is said to be done.
    words = "Times are shown in your time zone"
    assert not window.show(look("keys")).get_by_text(words).is_visible()
    assert stage(width=1280).show(look("keys")).get_by_text(words).is_visible()


def test_the_session_warns_before_it_ends(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    response = look("session")
    window = stage(width=1280)
    window.page.clock.install()
    page = window.show(response)
    note = page.locator("[data-ends]")
    assert not note.is_visible()
    page.clock.fast_forward("23:54:00")
    assert not note.is_visible()
    page.clock.fast_forward("02:00")
    assert "Your session ends in 5 minutes" in note.inner_text()
    assert note.get_by_role("link", name="Open again from Northwind Maps").is_visible()
    assert "5 minutes" in page.locator("#live").inner_text()
    page.clock.fast_forward("04:00")
    assert "Your session ends in 1 minute" in note.inner_text()


def test_a_buttons_words_keep_their_spaces(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=390).show(look("enter-somebody-else"))
    assert page.locator("form.go .btn").all_inner_texts() == ["Continue as Bob Ferreira", "Stay signed in as Ada Wong"]


def test_the_skip_link_is_first_and_leads_to_main(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=1280).show(look("preview"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_focus_order_is_the_order_on_the_page(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    page = stage(width=1280).show(look("preview"))
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"))
    assert order[0] == "Skip to main content"
    assert order[1] == "Leave preview"
    assert order[2].startswith("N Northwind Maps") or order[2].startswith("NNorthwind Maps")
    assert order[3:6] == ["← Back to Northwind Maps", "Sign out", "Sign out"]
    assert order[6].startswith("Your session ends ")
    assert order[7:] == ["Get help", "Privacy"]


@pytest.mark.parametrize("script", [True, False])
def test_a_form_says_first_what_is_wrong_with_it(
    stage: Callable[..., Stage], look: Callable[..., Any], script: bool
) -> None:
    page = stage(width=390, java_script_enabled=script).show(look("key-create-errors"))
    summary = page.get_by_role("alert")
    assert summary.get_by_role("link", name="Enter a name for the key").get_attribute("href") == "#id_name"
    assert page.evaluate("document.activeElement.getAttribute('role')") == ("alert" if script else None)
    field = page.get_by_label("Name", exact=True)
    assert field.get_attribute("aria-invalid") == "true"
    described = (field.get_attribute("aria-describedby") or "").split()
    assert set(described) == {"id_name_helptext", "id_name_error"}
    assert [page.locator(f"#{one}").inner_text() for one in sorted(described)] == [
        "Enter a name for the key",
        "For example: Production server.",
    ]


def weight(content: bytes) -> int:
    return len(gzip.compress(content, 9))


@pytest.mark.parametrize(("name", "html", "whole"), [("session", 9, 14), ("keys-usage-many", 9, 20), ("usage", 9, 20)])
def test_weights(stage: Callable[..., Stage], look: Callable[..., Any], name: str, html: int, whole: int) -> None:
    """In KiB, gzipped: the limits of ui-spec 2.13; ``keys-usage-many`` has a full page of keys."""
    response = look(name)
    window = stage(width=1280)
    page = window.show(response)
    assert name != "keys-usage-many" or page.locator("tbody tr .spark svg").count() == 25
    css, script = (STATIC / "portal.css").read_bytes(), (STATIC / "portal.js").read_bytes()
    theme = next(answer.content for path, answer in window.brand.items() if "theme" in path)
    assert weight(css) + weight(theme) <= 6 * 1024
    assert weight(script) <= 3 * 1024
    assert weight(response.content) <= html * 1024
    assert weight(response.content) + weight(css) + weight(theme) + weight(script) <= whole * 1024
    assert len(window.requests) <= 5
