"""Whatever a comment or a test refers to by number is on the page about decisions, or in the list of requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.markdown import code_spans, read, sections, table
from tests.projects import ROOT

SECTIONS = sections("decisions.md")
FAULTS = [row[0] for row in table(SECTIONS["Fault table"])]
REQUIREMENTS = [row[0] for row in table(read("security.md"))]
_NUMBER = r"\d+(?:\.\d+)?"
_NUMBERS = rf"({_NUMBER}(?:(?:,| and| to|, and) {_NUMBER})*)"
#: What is written before the numbers, and what each leads to.
KINDS = {
    r"(?:design )?decisions?": lambda number: any(heading.startswith(f"{number}. ") for heading in SECTIONS),
    r"design sections?": lambda number: f"Design section {number}" in SECTIONS,
    r"(?:wire )?contract,? sections?": lambda number: f"Wire contract section {number}" in SECTIONS,
    r"ui-spec": lambda number: f"ui-spec {number}" in SECTIONS,
    r"(?:security )?(?:requirements?|rows?)": REQUIREMENTS.__contains__,
}


def texts() -> Iterator[tuple[str, str]]:
    """Yield each module with its text, in which what a comment or docstring breaks over lines is in one."""
    for folder in ("bench", "config", "portal", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield str(path.relative_to(ROOT)), re.sub(r"\s*\n\s*(?:#:? ?)?", " ", path.read_text())
    yield "pyproject.toml", (ROOT / "pyproject.toml").read_text()


TEXTS = list(texts())


def numbers(written: str) -> list[str]:
    """Return every number that is meant by ``5, 7 and 16`` or ``5 to 8``."""
    if " to " in written:
        first, last = map(int, written.split(" to "))
        return [str(number) for number in range(first, last + 1)]
    return re.findall(_NUMBER, written)


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_leads_to_a_heading_or_a_row(kind: str) -> None:
    found = [
        (path, number)
        for path, text in TEXTS
        for written in re.findall(rf"\b{kind} {_NUMBERS}", text, re.IGNORECASE)
        for number in numbers(written)
    ]
    assert found
    assert [(path, number) for path, number in found if not KINDS[kind](number)] == []


def test_every_test_named_after_a_decision_leads_to_it() -> None:
    found = {number for _, text in TEXTS for number in re.findall(r"def test_decision_(\d+)_", text)}
    assert found
    assert found <= {heading.partition(".")[0] for heading in SECTIONS}


def test_every_fault_is_in_the_table() -> None:
    found = {fault for _, text in TEXTS for fault in re.findall(r"\b(?<!\")F\d{1,2}\b(?!\")", text)}
    assert found
    assert found <= set(FAULTS)
    named = {f"F{number}" for _, text in TEXTS for number in re.findall(r"def test_f(\d+)_", text)}
    assert named <= set(FAULTS)


def test_the_decisions_are_numbered_without_a_gap() -> None:
    decisions = [heading for heading in SECTIONS if re.match(r"\d+\. ", heading)]
    assert [int(heading.partition(".")[0]) for heading in decisions] == list(range(1, len(decisions) + 1))
    assert all(SECTIONS[heading].strip() for heading in decisions)


def test_every_setting_that_it_names_is_one() -> None:
    settings = sections("reference/settings.md")
    named = {span for span in code_spans(read("decisions.md")) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", span)}
    assert named - {"SECRET_KEY"} <= {heading.strip("`") for heading in settings}
