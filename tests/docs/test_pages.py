"""The documentation as a whole: every page is reached, every link leads somewhere, every block is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, pages, read, sections, steps
from tests.projects import ROOT

#: Pages with a harness of their own: tests/test_error_docs.py.
ERRORS = "reference/errors/"
PAGES = [page for page in pages() if not page.startswith(ERRORS)]
#: What a follower runs, writes or compares, and what deploy.md's own tests read.
TRIED = {"sh", "text", "json", "python", "html", "django", "css", "js", "ini", "nginx", "cron"}


def anchor(heading: str) -> str:
    """Return the anchor that Git hosts make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", read(page)):
        if target.startswith(("https://", "http://")):
            continue
        name, _, fragment = target.partition("#")
        path = (DOCS / page).parent / name if name else DOCS / page
        assert path.resolve().is_relative_to(ROOT)
        assert path.is_file(), target
        if fragment:
            headings = sections(str(path.resolve().relative_to(DOCS)))
            assert fragment in map(anchor, headings), target


def test_the_index_leads_to_every_page() -> None:
    linked = {re.sub("#.*", "", target) for target in re.findall(r"\]\(([^)]+)\)", read("README.md"))}
    assert {page for page in PAGES if page != "README.md"} <= linked


def test_every_page_with_a_block_is_followed() -> None:
    with_blocks = {page for page in PAGES if any(step.language is not None for step in steps(page))}
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    followed = {page for page in with_blocks if f'"{page}"' in tests}
    assert followed == with_blocks


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_kind_that_is_tried(page: str) -> None:
    assert {step.language for step in steps(page) if step.language is not None} <= TRIED


@pytest.mark.parametrize("page", PAGES)
def test_lines_can_be_read_in_an_editor(page: str) -> None:
    for line in read(page).splitlines():
        assert len(line) <= 125 or line.startswith("|") or " " not in line.strip(), line
