"""Calls side by side: what one costs, as a ratio to another in the same seconds."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections
from django.test.utils import CaptureQueriesContext

from .databases import Router

__all__ = ["compare", "count_queries", "quartiles", "timed"]

Call = Callable[[], Any]

#: Also behind a WITH.
_WRITES = re.compile(r"(?:WITH\b.*\b)?(?:INSERT INTO|UPDATE|DELETE FROM) ", re.DOTALL)
_FRAMES = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def quartiles(values: Iterable[float]) -> list[float]:
    """Return the lower quartile, the median and the upper quartile."""
    values = list(values)
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def timed(call: Call, calls: int) -> tuple[int, int]:
    """Call so many times and return the nanoseconds by the clock and of this process's CPU."""
    clock, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(calls):
        call()
    return time.perf_counter_ns() - clock, time.process_time_ns() - cpu


def compare(base: Call, subject: Call, *, rounds: int, calls: int, reset: Call | None = None) -> dict[str, Any]:
    """Return what ``subject`` costs beside ``base``: ``wall`` and ``cpu`` as quartiles of the rounds' ratios, ``us`` each.

    A round is base, subject, base, subject, ``calls`` times each, so that whatever else the machine does falls on both.

    :param reset: called before each round, outside of what is timed.
    """
    for call in (base, subject):
        timed(call, calls)
    walls, cpus, micros = [], [], []
    for _ in range(rounds):
        if reset is not None:
            reset()
        a1, b1, a2, b2 = (timed(call, calls) for call in (base, subject, base, subject))
        walls.append((b1[0] + b2[0]) / (a1[0] + a2[0]))
        cpus.append((b1[1] + b2[1]) / (a1[1] + a2[1]))
        micros.append((b1[0] + b2[0]) / (2 * calls) / 1000)
    return {"us": statistics.median(micros), "wall": quartiles(walls), "cpu": quartiles(cpus)}


def count_queries(call: Call) -> dict[str, int]:
    """Return how many statements a call sends, how many of them write, and how many only begin or end a transaction."""
    with CaptureQueriesContext(connections[Router.using]) as captured:
        call()
    statements = [query["sql"] for query in captured]
    framing = sum(statement.upper().startswith(_FRAMES) for statement in statements)
    writes = sum(_WRITES.match(statement) is not None for statement in statements)
    return {"queries": len(statements) - framing, "writes": writes, "framing": framing}
