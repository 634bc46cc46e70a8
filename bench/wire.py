"""Requests a second over the loopback: gunicorn with two sync workers, wrk, PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
from typing import Any

from .measure import quartiles
from .plan import Plan
from .processes import Server, seconds_of_children, serving
from .rows import BARE, rows_of

__all__ = ["measure"]

CONNECTIONS = 8
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each of the in-process part, or why there is none. Each run lies between two of the bare view."""
    if shutil.which("wrk") is None:
        return {"skipped": "wrk is missing: apt-get install wrk"}
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
    """Load the server for so long; ``cpu_us`` is what its workers spend on a request, ``db_us`` what PostgreSQL does."""
    headers = [part for name, value in server.headers.items() for part in ("-H", f"{name}: {value}")]
    postmaster = int(os.environ["BENCH_POSTMASTER"])
    cpu, db = seconds_of_children(server.pid), seconds_of_children(postmaster)
    said = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *headers, server.url],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=True,
    ).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    requests = int(_find(r"(\d+) requests in", said)[0])
    p99, unit = _find(r"99%\s+([\d.]+)(us|ms|s)", said)
    return {
        "req_s": float(_find(r"Requests/sec:\s+([\d.]+)", said)[0]),
        "p99_ms": float(p99) * _UNITS[unit],
        "cpu_us": (seconds_of_children(server.pid) - cpu) / requests * 1e6,
        "db_us": (seconds_of_children(postmaster) - db) / requests * 1e6,
    }


def _find(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found, text
    return found.groups()
