"""``make tour``: a picture of every state at two widths, in two schemes and six brands, and an index of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.pages.states import STATES

from .stage import Stage

BRANDS = ["#2563eb", "#ffff00", "#000000", "#ffffff", "#dc2626", "#008750"]
WIDTHS = [1280, 390]
SCHEMES = ["light", "dark"]


@pytest.mark.tour
def test_the_readme_has_its_picture(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    """Wide and light beside narrow and dark: what the README shows."""
    folder = Path("docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    response = look("keys", support_url="", privacy_url="")
    for width, height, scheme in ((960, 600, "light"), (390, 600, "dark")):
        window = stage(width=width, scheme=scheme, device_scale_factor=1.5)
        window.page.set_viewport_size({"width": width, "height": height})
        window.show(response).screenshot(path=folder / f"portal-{scheme}.png")
    assert {path.name for path in folder.glob("*.png")} >= {"portal-light.png", "portal-dark.png"}


@pytest.mark.tour
def test_every_state_is_pictured(stage: Callable[..., Stage], look: Callable[..., Any]) -> None:
    folder = Path(os.environ.get("TOUR", "tour"))
    folder.mkdir(exist_ok=True)
    brands = os.environ.get("TOUR_BRANDS", ",".join(BRANDS)).split(",")
    windows = {(width, scheme): stage(width=width, scheme=scheme) for width in WIDTHS for scheme in SCHEMES}
    pictures = []
    for name in STATES:
        for brand in brands:
            response = look(name, primary_color=brand)
            for (width, scheme), window in windows.items():
                picture = f"{name}-{width}-{scheme}-{brand.removeprefix('#')}.png"
                window.show(response).screenshot(path=folder / picture, full_page=True)
                pictures.append(picture)
    figures = "\n".join(
        f'<figure><img src="{escape(one)}" loading="lazy" width="390"><figcaption>{escape(one)}</figcaption></figure>'
        for one in pictures
    )
    (folder / "index.html").write_text(f"<!doctype html><title>Tour</title>{figures}")
    assert len(list(folder.glob("*.png"))) >= len(STATES) * len(brands) * len(windows)
