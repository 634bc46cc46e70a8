"""The figures for people: the table of goals, a table a part, and both in docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .goals import GOALS, Goal, Measure

__all__ = ["Results", "details", "misnamed", "summary", "table", "write"]

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
    lines = [_BEGIN, "## Figures", "", *about, "", *summary(results)]
    for part, rows in results.items():
        lines += ["", f"### {part.replace('/', ', ')}", "", *details(rows)]
    lines.append(_END)
    before, _, rest = doc.read_text().partition(_BEGIN)
    doc.write_text(before + "\n".join(lines) + rest.partition(_END)[2])


def _line(goal: Goal, results: Results) -> list[str]:
    values = [_worst(measure, results) for measure in goal.measures]
    if None in values:
        reached, ok = "not measured", "–"
    else:
        reached = ", ".join(_written(value, measure.unit) for value, measure in zip(values, goal.measures, strict=True))
        ok = "yes" if all(map(_holds, goal.measures, values)) else "no"
    bounds = ", ".join(map(_bound, goal.measures))
    return [goal.what, reached, bounds, _best_peer(goal, results), goal.limit, ok]


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
    rows = results.get(measure.part, {})
    if name.endswith("*"):
        name = next((row for row in reversed(list(rows)) if row.startswith(name[:-1])), name)
    row = rows.get(name)
    value = row.get(measure.column) if isinstance(row, Mapping) else None
    return value[1] if isinstance(value, list) else value


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
