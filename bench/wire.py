"""Requests a second over the loopback: gunicorn with two sync workers, wrk, PostgreSQL."""

from __future__ import annotations

import os
import statistics
from typing import Any

from .load import NO_WRK, has_wrk, load
from .measure import quartiles
from .plan import Plan
from .processes import Server, seconds_of_children, serving
from .rows import BARE, rows_of

__all__ = ["measure"]


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each of the in-process part, or why there is none. Each run lies between two of the bare view."""
    if not has_wrk():
        return {"skipped": NO_WRK}
    found = {}
    with serving(BARE) as bare:
        _run(bare, plan.wire_seconds)
        for row in rows_of(plan, f"wire/{kind}"):
            with serving(row) as server:
                _run(server, 1)
                found[row.name] = _beside(bare, server, plan)
    return found


def _beside(bare: Server, server: Server, plan: Plan) -> dict[str, Any]:
    before, rounds = _run(bare, plan.wire_seconds), []
    for _ in range(plan.wire_rounds):
        run, after = _run(server, plan.wire_seconds), _run(bare, plan.wire_seconds)
        rounds.append((run, {name: (before[name] + after[name]) / 2 for name in before}))
        before = after
    return {
        "req_s": statistics.median(run["req_s"] for run, _ in rounds),
        "p99_ms": statistics.median(run["p99_ms"] for run, _ in rounds),
        "cpu_us": statistics.median(run["cpu_us"] for run, _ in rounds),
        "db_us": statistics.median(run["db_us"] for run, _ in rounds),
        "rate": quartiles(run["req_s"] / base["req_s"] for run, base in rounds),
        "cpu": quartiles(run["cpu_us"] / base["cpu_us"] for run, base in rounds),
    }


def _run(server: Server, seconds: int) -> dict[str, float]:
    """Load the server for so long; ``db_us`` is what PostgreSQL spends on a request."""
    postmaster = int(os.environ["BENCH_POSTMASTER"])
    db = seconds_of_children(postmaster)
    found = load(server, seconds)
    assert not found["refused"], found
    return found | {"db_us": (seconds_of_children(postmaster) - db) / found["requests"] * 1e6}
