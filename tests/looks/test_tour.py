"""``make tour``: a picture of every state at two widths, in two schemes and six brands, and an index of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.pages.pseudo import LONG, RIGHT_TO_LEFT, pseudo_languages
from tests.pages.states import STATES

from .stage import Stage

BRANDS = ["#2563eb", "#ffff00", "#000000", "#ffffff", "#dc2626", "#008750"]
WIDTHS = [1280, 390]
SCHEMES = ["light", "dark"]
#: How a page is shown otherwise: in which language, and in what kind of window.
MEDIA: dict[str, tuple[str, dict[str, Any]]] = {
    "rtl": (RIGHT_TO_LEFT, {}),
    "long": (LONG, {}),
    "forced": ("", {"scheme": "dark", "forced_colors": "active"}),
    "print": ("", {}),
}


@pytest.mark.tour
def test_the_readme_has_its_picture(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    """Wide and light beside narrow and dark: what the README shows."""
    folder = Path("docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    response = look("keys-usage", support_url="", privacy_url="")
    for width, height, scheme in ((1040, 905, "light"), (390, 905, "dark")):
        window = stage(width=width, scheme=scheme, device_scale_factor=1.25)
        window.page.set_viewport_size({"width": width, "height": height})
        window.show(response).screenshot(path=folder / f"portal-{scheme}.png")
    assert {path.name for path in folder.glob("*.png")} >= {"portal-light.png", "portal-dark.png"}


@pytest.fixture
def folder() -> Path:
    folder = Path(os.environ.get("TOUR", "tour"))
    folder.mkdir(exist_ok=True)
    return folder


def write_index(folder: Path) -> None:
    figures = "\n".join(
        f'<figure><img src="{escape(one)}" loading="lazy" width="390"><figcaption>{escape(one)}</figcaption></figure>'
        for one in sorted(path.name for path in folder.glob("*.png"))
    )
    (folder / "index.html").write_text(f"<!doctype html><title>Tour</title>{figures}")


@pytest.mark.tour
def test_every_state_is_pictured(stage: Callable[..., Stage], look: Callable[..., Any], folder: Path) -> None:
    brands = os.environ.get("TOUR_BRANDS", ",".join(BRANDS)).split(",")
    windows = {(width, scheme): stage(width=width, scheme=scheme) for width in WIDTHS for scheme in SCHEMES}
    for name in STATES:
        for brand in brands:
            response = look(name, primary_color=brand)
            for (width, scheme), window in windows.items():
                picture = f"{name}-{width}-{scheme}-{brand.removeprefix('#')}.png"
                window.show(response).screenshot(path=folder / picture, full_page=True)
    write_index(folder)
    assert len(list(folder.glob("*.png"))) >= len(STATES) * len(brands) * len(windows)


@pytest.mark.tour
def test_every_state_is_pictured_otherwise(stage: Callable[..., Stage], look: Callable[..., Any], folder: Path) -> None:
    windows = {(kind, width): stage(width=width, **MEDIA[kind][1]) for kind in MEDIA for width in WIDTHS}
    for width in WIDTHS:
        windows["print", width].page.emulate_media(media="print")
    with pseudo_languages():
        for name in STATES:
            for kind, (language, _) in MEDIA.items():
                response = look(name, locale=language)
                for width in WIDTHS:
                    path = folder / f"{name}-{width}-{kind}.png"
                    windows[kind, width].show(response).screenshot(path=path, full_page=True)
    write_index(folder)
    assert len(list(folder.glob("*.png"))) >= len(STATES) * len(windows)
