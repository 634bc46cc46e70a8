"""The figures for people: the table of goals, a table a part, and both in docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from .goals import GOALS, Goal, Measure
from .ideas import IDEAS

__all__ = ["Results", "between_markers", "details", "ideas", "misnamed", "summary", "table", "value", "write"]

#: Part and database, then rows, then columns.
Results = Mapping[str, Mapping[str, Any]]

HEADERS = ("what", "reached", "goal", "best peer", "limit", "ok")

_BEGIN, _END = "<!-- bench: begin -->", "<!-- bench: end -->"


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return a table that reads as Markdown and in a terminal."""
    cells = [list(headers), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return [lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]]


def summary(results: Results) -> list[str]:
    """Return the table of goals, with what was reached."""
    return table(HEADERS, (_line(goal, results) for goal in GOALS))


def ideas(results: Results) -> list[str]:
    """Return what to try next for each line that is not reached, as a list that stands below the table."""
    missed = [goal.what for goal in GOALS if _reached(goal, results) is False]
    if not missed:
        return []
    items = (f"- **{what}:** {IDEAS.get(what, 'no idea yet.')}" for what in missed)
    return ["What is not reached, and the next idea:", "", *(fill(item, 118, subsequent_indent="  ") for item in items)]


def details(rows: Mapping[str, Any]) -> list[str]:
    """Return one part's table; ratios with their quartiles."""
    if "skipped" in rows:
        return [f"Skipped: {rows['skipped']}"]
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    return table(
        ["row", *columns], ([name, *(_cell(row.get(column)) for column in columns)] for name, row in rows.items())
    )


def misnamed(results: Results) -> list[str]:
    """Return the rows that a goal names and a part that was measured has not."""
    return [
        f"{measure.part}/{name}/{measure.column}"
        for goal in GOALS
        for measure in goal.measures
        for name in measure.rows
        if measure.part in results and "skipped" not in results[measure.part] and _value(measure, name, results) is None
    ]


def write(doc: Path, results: Results, about: Iterable[str]) -> None:
    """Put the figures between the markers of the page ``doc``.

    :param about: lines on machine, versions and date.
    """
    lines = ["## Figures", "", *about, "", *summary(results)]
    if missed := ideas(results):
        lines += ["", *missed]
    for part, rows in results.items():
        lines += ["", f"### {part.replace('/', ', ')}", "", *details(rows)]
    between_markers(doc, _BEGIN, _END, lines)


def between_markers(doc: Path, begin: str, end: str, lines: Iterable[str]) -> None:
    """Replace what stands between two markers of the page ``doc``."""
    before, _, rest = doc.read_text().partition(begin)
    doc.write_text("\n".join([before + begin, *lines, end]) + rest.partition(end)[2])


def value(results: Results, part: str, name: str, column: str) -> float | None:
    """Return a figure, the median where there are quartiles, and None where it was not measured.

    :param name: of the row; one that ends in ``*`` is the last row that begins so.
    """
    rows = results.get(part, {})
    if name.endswith("*"):
        name = next((row for row in reversed(list(rows)) if row.startswith(name[:-1])), name)
    row = rows.get(name)
    found = row.get(column) if isinstance(row, Mapping) else None
    return found[1] if isinstance(found, list) else found


def _line(goal: Goal, results: Results) -> list[str]:
    values = [(_worst(measure, results), measure.unit) for measure in goal.measures]
    written = [_written(value, unit) for value, unit in values if value is not None]
    reached = ", ".join(written) if len(written) == len(values) else "not measured"
    ok = {True: "yes", False: "no", None: "–"}[_reached(goal, results)]
    bounds = ", ".join(map(_bound, goal.measures))
    return [goal.what, reached, bounds, _best_peer(goal, results), goal.limit, ok]


def _reached(goal: Goal, results: Results) -> bool | None:
    """Say whether the line is reached, None when a figure of it was not measured."""
    values = [_worst(measure, results) for measure in goal.measures]
    known = [value for value in values if value is not None]
    return all(map(_holds, goal.measures, known)) if len(known) == len(values) else None


def _bound(measure: Measure) -> str:
    sign = "" if measure.bound == 0 else "≥ " if measure.at_least else "≤ "
    return sign + _written(measure.bound, measure.unit)


def _holds(measure: Measure, value: float) -> bool:
    return value >= measure.bound if measure.at_least else value <= measure.bound


def _best_peer(goal: Goal, results: Results) -> str:
    measure = goal.measures[0]
    found = {name: _value(measure, name, results) for name in goal.peers}
    measured = {name: value for name, value in found.items() if value is not None}
    if not measured:
        return "–"
    best = (max if measure.at_least else min)(measured, key=lambda name: measured[name])
    return f"{best.rstrip(': *')} {_written(measured[best], measure.unit)}"


def _worst(measure: Measure, results: Results) -> float | None:
    values = [_value(measure, name, results) for name in measure.rows]
    if None in values:
        return None
    return (min if measure.at_least else max)(value for value in values if value is not None)


def _value(measure: Measure, name: str, results: Results) -> float | None:
    return value(results, measure.part, name, measure.column)


def _written(value: float, unit: str) -> str:
    if unit.startswith("×"):
        return f"{value:.2f}{unit}"
    if value == 1:
        unit = {"queries": "query", "writes": "write"}.get(unit, unit)
    return f"{value:,.0f} {unit}"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[1]:.2f} ({value[0]:.2f} to {value[2]:.2f})"
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    return "" if value is None else f"{value:,}"
