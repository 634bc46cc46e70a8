"""How far it goes: arithmetic from the figures to a business that is 10, 100 and 1,000 times as large."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path

from .report import Results, between_markers, table, value

__all__ = ["FIGURES", "absent", "figures_of", "section", "write"]

TIMES = (1, 10, 100, 1_000)

#: What was measured: its name here, and the part, row and column of docs/performance.md that it stands in.
FIGURES = {
    name: (part, row, column)
    for name, part, row, column in (
        ("verifyKey/s", "deployment/postgres", "as shipped: 2 workers × 4 threads", "verifyKey req/s"),
        ("verifyKey/s, cached", "deployment/postgres", "SESSION_CACHE_SECONDS 5", "verifyKey req/s"),
        ("verifyKey/s, SQLite", "deployment/sqlite", "as shipped: 2 workers × 4 threads", "verifyKey req/s"),
        ("createSession/s", "deployment/postgres", "as shipped: 2 workers × 4 threads", "createSession req/s"),
        ("keys page/s", "deployment/postgres", "as shipped: 2 workers × 4 threads", "keys page req/s"),
        ("PostgreSQL's µs a look-up", "wire/postgres", "session", "db_us"),
        ("counts of use written/s, one process", "disk/postgres", "use of a key, an hour", "written/s"),
        ("hours of use folded into days/s", "disk/postgres", "use of a key, an hour", "folded/s"),
        ("rows purged/s", "purge/postgres", "portal_purge", "rows_per_s"),
        ("bytes of a session", "disk/postgres", "session", "bytes"),
        ("bytes of an event", "disk/postgres", "event", "bytes"),
        ("bytes of a key", "disk/postgres", "key", "bytes"),
        ("bytes of a key's secret", "disk/postgres", "secret of a key", "bytes"),
        ("bytes of an hour of a key's use", "disk/postgres", "use of a key, an hour", "bytes"),
    )
}

_BEGIN, _END = "<!-- arithmetic: begin -->", "<!-- arithmetic: end -->"


def figures_of(results: Results) -> dict[str, float] | None:
    """Return the figures that the arithmetic starts from, to two digits; None while one was not measured."""
    found = {name: value(results, *place) for name, place in FIGURES.items()}
    known = {name: _rounded(number) for name, number in found.items() if number is not None}
    return known if len(known) == len(found) else None


def absent(results: Results) -> list[str]:
    """Return the rows that this starts from and a part that was measured has not."""
    return [
        "/".join(place)
        for place in FIGURES.values()
        if place[0] in results and "skipped" not in results[place[0]] and value(results, *place) is None
    ]


def section(figures: Mapping[str, float]) -> list[str]:
    """Return what stands between the markers of the page."""
    columns = [_business(times, figures) for times in TIMES]
    return [
        *table(
            ("measured", "value", "part", "row", "column"),
            (
                (name, _short(figures[name]), part.replace("/", ", "), row, column)
                for name, (part, row, column) in FIGURES.items()
            ),
        ),
        "",
        *table(
            ("what follows", *(f"{times:,} ×" for times in TIMES)),
            ((line, *(column[line] for column in columns)) for line in columns[0]),
        ),
    ]


def write(page: Path, results: Results) -> None:
    """Put the arithmetic into the page, if all that it starts from was measured."""
    figures = figures_of(results)
    if figures is not None:
        between_markers(page, _BEGIN, _END, section(figures))


def _business(times: int, figures: Mapping[str, float]) -> dict[str, str]:
    """Return the lines for a business so many times as large as the one that the page assumes."""
    sessions, verifications, keys = 1_000 * times, 1_000_000 * times, 20_000 * times
    # The busiest second beside the mean of a day.
    busiest = 5 / 86_400
    verified, minted, pages = verifications * busiest, sessions * busiest, 10 * sessions * busiest
    pages_and_mints = minted / figures["createSession/s"] + pages / figures["keys page/s"]
    machines = pages_and_mints + verified / figures["verifyKey/s"]
    kept = {
        "sessions, 31 days": sessions * 31 * figures["bytes of a session"],
        "events, 365 days": 3 * sessions * 365 * figures["bytes of an event"],
        "keys": keys * (figures["bytes of a key"] + figures["bytes of a key's secret"]),
        # Half of the keys on a day, in 8 of its hours; 14 days by the hour, and 76 of the 90 by the day.
        "use, 90 days": keys / 2 * (14 * 8 + 76) * figures["bytes of an hour of a key's use"],
    }
    return {
        "end users": _short(10_000 * times),
        "sessions a day": _short(sessions),
        "createSession/s, busiest": _short(minted),
        "pages/s, busiest": _short(pages),
        "verifications/s, busiest": _short(verified),
        "machines of two cores": _short(machines),
        "the same, cached": _short(pages_and_mints + verified / figures["verifyKey/s, cached"]),
        "connections to PostgreSQL": _short(8 * ceil(machines)),
        # A verification looks up the root key and the key.
        "cores of PostgreSQL for look-ups": _short(2 * verified * figures["PostgreSQL's µs a look-up"] / 1e6),
        "processes that only write counts": _short(verified / figures["counts of use written/s, one process"]),
        **{name: _bytes(number) for name, number in kept.items()},
        "all on disk": _bytes(sum(kept.values())),
        "purge of sessions and events, a night": f"{_short(4 * sessions / figures['rows purged/s'])} s",
        # Of the 8 hours of a key's day, the first is the one that the others are added to.
        "rolling up use, a night": f"{_short(keys / 2 * 7 / figures['hours of use folded into days/s'])} s",
    }


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


def _short(number: float) -> str:
    rounded = _rounded(number)
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def _bytes(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if number >= size:
            return f"{_short(number / size)} {unit}"
    return f"{_short(number / 1e6)} MB"
