"""Pages about usage in a store that counts, at a time that stands still; and what a reader sees on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from portal import clock
from tests.pages.flow import words
from tests.usage_store import UsageStore, use_usage_store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A Tuesday, a little after two.
NOW = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)

USAGE = "/my-portal/usage/"
CSV = "/my-portal/usage.csv"
DOWN = "Usage numbers are not available right now. Your keys are not affected."


@pytest.fixture
def afternoon() -> Iterator[None]:
    """Let it be :data:`NOW`."""
    with clock.using(lambda: NOW):
        yield


@pytest.fixture
def usage_store(settings: Any) -> UsageStore:
    """Serve keys from a new store that counts what the test says."""
    return use_usage_store(settings)


def part(html: str, pattern: str) -> str:
    """Return the first place that looks like ``pattern``."""
    found = re.search(pattern, html, re.DOTALL)
    assert found, f"no {pattern} in {html}"
    return found[0]


def figures(html: str) -> dict[str, list[str]]:
    """Return the strip: figure and note by label."""
    found = re.findall(r"<dt>(.*?)</dt>(.*?)</div>", part(html, r'<dl class="card strip">.*?</dl>'), re.DOTALL)
    return {label: [unescape(text) for text in re.findall(r"<dd[^>]*>(.*?)</dd>", rest)] for label, rest in found}


def table(html: str, place: int = 0) -> list[list[str]]:
    """Return the rows of a table: the chart's first, then that by key."""
    body = re.findall(r"<tbody.*?</tbody>", html, re.DOTALL)[place]
    return [
        [words(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]
