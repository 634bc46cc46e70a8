"""The table of ``make bench``: what it calls reached, and that docs/performance.md has the goals of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# Absent from the sdist.
goals = pytest.importorskip("bench.goals")
purge = pytest.importorskip("bench.purge")
report = pytest.importorskip("bench.report")
scale = pytest.importorskip("bench.scale")

DOC = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
HOW_FAR = DOC.with_name("how-far-does-it-go.md")
PART = "in_process/sqlite"


def cells(text: str) -> list[list[str]]:
    """Return the rows of the first table in ``text``, headings included."""
    rows = re.search(r"(?:^\|.*\|\n?)+", text, re.MULTILINE)[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if not row.startswith("| -")]


def line_for(goal: goals.Goal, rows: dict, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the line of the one goal there is, by heading."""
    monkeypatch.setattr(report, "GOALS", (goal,))
    headings, line = cells("\n".join(report.summary({PART: rows})))
    return dict(zip(headings, line, strict=True))


def test_the_page_has_the_goals_of_the_code():
    table = cells(DOC.read_text().partition("<!-- bench: begin -->")[2])
    now = cells("\n".join(report.summary({})))
    columns = [now[0].index(name) for name in ("what", "goal", "limit")]
    assert [[row[column] for column in columns] for row in table] == [
        [row[column] for column in columns] for row in now
    ]


def test_the_worst_row_counts_and_the_best_peer_is_named(monkeypatch):
    goal = goals.Goal(
        "it", (goals.Measure(PART, ("bearer", "cookie"), "wall", 1.45),), ("slow", "fast", "absent"), "1.3×"
    )
    rows = {
        "bearer": {"wall": [1.3, 1.4, 1.5]},
        "cookie": {"wall": [1.4, 1.5, 1.6]},
        "slow": {"wall": [6, 7, 8]},
        "fast": {"wall": [3, 3.2, 4]},
    }
    line = line_for(goal, rows, monkeypatch)
    assert list(line.values()) == ["it", "1.50×", "≤ 1.45×", "fast 3.20×", "1.3×", "no"]
    rows["cookie"]["wall"][1] = 1.45
    assert line_for(goal, rows, monkeypatch)["ok"] == "yes"


def test_every_figure_of_a_line_must_hold(monkeypatch):
    measures = (goals.Measure(PART, ("ours",), "wall", 2.0), goals.Measure(PART, ("ours",), "queries", 1, "queries"))
    rows = {"ours": {"wall": [1, 1, 1], "queries": 2}}
    line = line_for(goals.Goal("it", measures), rows, monkeypatch)
    assert (line["reached"], line["goal"], line["ok"]) == ("1.00×, 2 queries", "≤ 2.00×, ≤ 1 query", "no")


def test_more_is_better_where_the_goal_says_at_least(monkeypatch):
    goal = goals.Goal("it", (goals.Measure(PART, ("one", "two"), "rate", 0.4, at_least=True),), ("a", "b"))
    rows = {name: {"rate": value} for name, value in (("one", 0.5), ("two", 0.41), ("a", 0.1), ("b", 0.3))}
    line = line_for(goal, rows, monkeypatch)
    assert (line["reached"], line["best peer"], line["ok"]) == ("0.41×", "b 0.30×", "yes")


def test_a_star_is_the_last_row_that_begins_so(monkeypatch):
    goal = goals.Goal("it", (goals.Measure(PART, ("sessions: *",), "pages", 8, "pages"),), ("api-key: *",))
    rows = {
        "sessions: 10": {"pages": 4},
        "api-key: 10": {},
        "sessions: 1,000": {"pages": 9},
        "api-key: 1,000": {"pages": 7},
    }
    line = line_for(goal, rows, monkeypatch)
    assert (line["reached"], line["best peer"], line["ok"]) == ("9 pages", "api-key 7 pages", "no")


def test_what_is_not_reached_has_the_next_idea_below_the_table(monkeypatch, tmp_path):
    missed, met, unknown = (
        goals.Goal(what, (goals.Measure(PART, (what,), "wall", 1.0),)) for what in ("missed", "met", "unknown")
    )
    monkeypatch.setattr(report, "GOALS", (missed, met, unknown))
    monkeypatch.setattr(report, "IDEAS", {"missed": "Try this.", "met": "Not this.", "unknown": "Nor this."})
    results = {PART: {"missed": {"wall": [1, 1.1, 2]}, "met": {"wall": [1, 1, 1]}}}
    assert report.ideas(results)[2:] == ["- **missed:** Try this."]
    page = tmp_path / "performance.md"
    page.write_text("<!-- bench: begin --><!-- bench: end -->")
    report.write(page, results, [])
    assert "\n\nWhat is not reached, and the next idea:\n\n- **missed:** Try this.\n\n###" in page.read_text()
    monkeypatch.setattr(report, "IDEAS", {})
    assert report.ideas(results)[2:] == ["- **missed:** no idea yet."]
    assert report.ideas({}) == []


def test_each_idea_is_about_a_line():
    assert set(report.IDEAS) <= {goal.what for goal in goals.GOALS}


@pytest.mark.parametrize("rows", [{}, {"skipped": "wrk is missing"}, {"one": {"rate": 1}}])
def test_nothing_is_claimed_without_a_figure(rows, monkeypatch):
    goal = goals.Goal("it", (goals.Measure(PART, ("one", "two"), "rate", 0.4, at_least=True),))
    line = line_for(goal, rows, monkeypatch)
    assert (line["reached"], line["ok"]) == ("not measured", "–")


def test_a_goal_that_names_a_row_which_is_not_there_is_told():
    measured = {PART: {"session": {"wall": [1, 1, 1], "queries": 1, "writes": 0}}}
    assert f"{PART}/session, cookie/wall" in report.misnamed(measured)
    assert not [name for name in report.misnamed(measured) if "/session/" in name]
    assert report.misnamed({PART: {"skipped": "why"}}) == []


def test_writing_replaces_what_is_between_the_markers(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("Before.\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nAfter.\n")
    results = {
        PART: {"bare": {"us": 119.4, "wall": [0.99, 1, 1.01], "queries": 0}},
        "wire/postgres": {"skipped": "no wrk"},
    }
    for _ in range(2):
        report.write(page, results, ["- a machine"])
    text = page.read_text()
    assert text.startswith("Before.\n<!-- bench: begin -->\n## Figures\n\n- a machine\n")
    assert text.endswith("<!-- bench: end -->\nAfter.\n")
    assert "old" not in text
    assert ["bare", "119", "1.00 (0.99 to 1.01)", "0"] in cells(text.partition("### in_process, sqlite")[2])
    assert "Skipped: no wrk" in text


def test_the_longest_wait_is_the_median_of_several_purges_and_the_page_shows_the_others():
    runs = [purge.Run([1.0, longest], deleted=500, seconds=2.0) for longest in (30.0, 8.0, 9.0)]
    row = purge.row_of(runs)
    assert row == {"acts": 6, "p50_ms": 4.5, "longest_ms": [8.0, 9.0, 30.0], "deleted": 1_500, "rows_per_s": 250}
    assert report.value({"purge/sqlite": {"portal_purge": row}}, "purge/sqlite", "portal_purge", "longest_ms") == 9
    assert cells("\n".join(report.details({"portal_purge": row})))[1][3] == "9.00 (8.00 to 30.00)"
    assert "rows_per_s" not in purge.row_of([purge.Run([1.0])])


def measured(**changed: float) -> dict[str, dict[str, dict[str, float]]]:
    """Return results in which every figure of the arithmetic is 100, but for those that are named here."""
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, (part, row, column) in scale.FIGURES.items():
        results.setdefault(part, {}).setdefault(row, {})[column] = changed.get(name, 100)
    return results


def by_line(figures: dict[str, float]) -> dict[str, list[str]]:
    """Return the cells of the arithmetic by the line's name."""
    text = "\n".join(scale.section(figures)).partition("\n\n")[2]
    return {name: values for name, *values in cells(text)[1:]}


def test_the_arithmetic_is_what_the_page_says_it_is():
    lines = by_line(
        scale.figures_of(
            measured(
                **{
                    "verifyKey/s": 1_000,
                    "verifyKey/s, cached": 2_000,
                    "createSession/s": 1e9,
                    "keys page/s": 1e9,
                    "bytes of an event": 400,
                }
            )
        )
    )
    # A million a day are 11.57 a second, and 5 times that in the busiest.
    assert lines["verifications/s, busiest"] == ["58", "580", "5,800", "58,000"]
    assert lines["machines of two cores"] == ["0.058", "0.58", "5.8", "58"]
    assert lines["the same, cached"] == ["0.029", "0.29", "2.9", "29"]
    assert lines["connections to PostgreSQL"] == ["8", "8", "48", "460"]
    assert lines["cores of PostgreSQL for look-ups"] == ["0.012", "0.12", "1.2", "12"]
    # 1,000 sessions and 20,000 keys with a secret each, all of 100 bytes.
    assert lines["sessions, 31 days"] == ["3.1 MB", "31 MB", "310 MB", "3.1 GB"]
    assert lines["keys"] == ["4 MB", "40 MB", "400 MB", "4 GB"]
    # 3 events of 1,000 sessions on 365 days, 400 bytes each.
    assert lines["events, 365 days"] == ["440 MB", "4.4 GB", "44 GB", "440 GB"]
    # 10,000 keys, 8 hours on 14 days and one row on 76.
    assert lines["use, 90 days"] == ["190 MB", "1.9 GB", "19 GB", "190 GB"]
    assert lines["purge of sessions and events, a night"] == ["40 s", "400 s", "4,000 s", "40,000 s"]


def test_the_arithmetic_waits_for_every_figure(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(before := "<!-- arithmetic: begin -->\nold\n<!-- arithmetic: end -->\n")
    results = measured()
    place = scale.FIGURES["bytes of a key"]
    assert scale.absent(results) == []
    del results[place[0]][place[1]]
    scale.write(page, results)
    assert page.read_text() == before
    assert scale.absent(results) == ["/".join(place)]
    assert scale.absent({place[0]: {"skipped": "why"}}) == []
    scale.write(page, measured())
    assert "\nold\n" not in page.read_text()


def test_the_page_is_what_follows_from_its_figures():
    text = HOW_FAR.read_text().partition("<!-- arithmetic: begin -->\n")[2].partition("\n<!-- arithmetic: end -->")[0]
    figures = {name: float(value.replace(",", "")) for name, value, *_ in cells(text)[1:]}
    assert text.splitlines() == scale.section(figures)
