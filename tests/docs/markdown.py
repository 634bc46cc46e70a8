"""A page of the documentation as the steps that a reader takes: what to read, and what to type or compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.projects import ROOT

DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)$")
_HEADING = re.compile(r"^(#+) (.*)$")


@dataclass(frozen=True)
class Step:
    """A paragraph (without a language), or a block of code; the paragraph ``before`` it says what to do with it."""

    page: str
    line: int
    section: str
    text: str
    language: str | None = None
    before: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def steps(page: str) -> Iterator[Step]:
    """Yield the steps of ``page``, a path below docs/."""
    section = before = ""
    paragraph: list[str] = []
    block: list[str] | None = None
    language = ""
    begins = 0
    for number, line in enumerate([*(DOCS / page).read_text().splitlines(), ""], start=1):
        if block is not None:
            if line == "```":
                yield Step(page, begins, section, "\n".join(block) + "\n", language, before)
                block = None
            else:
                block.append(line)
            continue
        fence = _FENCE.match(line)
        heading = _HEADING.match(line)
        if line.strip() and not fence and not heading:
            paragraph.append(line.strip())
            continue
        if paragraph:
            before = " ".join(paragraph)
            yield Step(page, number - len(paragraph), section, before)
            paragraph = []
        if heading:
            section, before = heading[2], ""
        elif fence:
            block, language, begins = [], fence[1], number
    assert block is None, f"{page}:{begins}: the block is never closed"


def sections(page: str) -> dict[str, str]:
    """Return the text below each heading of ``page``, whatever its level."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    fenced = False
    for line in (DOCS / page).read_text().splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (heading := _HEADING.match(line)):
            assert heading[2] not in found, f"{page}: two headings {heading[2]!r}"
            lines = found[heading[2]] = []
        else:
            lines.append(line)
    return {heading: "\n".join(text) for heading, text in found.items()}


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows of the tables in ``text``, without their heads."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    rules = [index for index, row in enumerate(cells) if all(set(cell) <= set("-: ") and cell for cell in row)]
    heads = {index - 1 for index in rules}
    return [row for index, row in enumerate(cells) if index not in heads and index not in rules]


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def pages() -> list[str]:
    return sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def read(page: str) -> str:
    return Path(DOCS / page).read_text()
