"""What counting costs: requests by API key whose uses are noted and written, beside the same with nothing noted."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from typing import Any

from portal.contrib.keys.recorder import FLUSH_SECONDS, recorder
from portal.contrib.keys.verify import verify

from .made import an_api_key
from .measure import Call, compare, timed
from .plan import Plan
from .rows import Row

__all__ = ["KEYS", "measure"]

#: How many keys come in turn, and so are written at once.
KEYS = 100


def measure(plan: Plan, row: Row) -> dict[str, dict[str, Any]]:
    """Return how requests of ``row``, which is one by API key, and verifications by the function compare.

    A write costs what it costs every :data:`~portal.contrib.keys.recorder.FLUSH_SECONDS`, whatever came in between, so its
    share of that time is added to both, as if a process did nothing else. Its milliseconds are ``flush_ms``.
    """
    secrets = itertools.cycle([an_api_key() for _ in range(KEYS)])
    try:
        return {
            "API key, counted": _beside_uncounted(plan, row.client(), secrets),
            "verify(), counted": _beside_uncounted(plan, lambda: verify(next(secrets)), secrets),
        }
    finally:
        recorder.__dict__.pop("record", None)


def _beside_uncounted(plan: Plan, call: Call, secrets: itertools.cycle[str]) -> dict[str, Any]:
    counts = recorder.__class__.record.__get__(recorder)
    found = compare(
        _noting(call, lambda use: None),
        _noting(call, counts),
        rounds=plan.rounds,
        calls=plan.calls,
        reset=recorder.flush,
    )
    flush = statistics.median(_flush(counts, secrets) for _ in range(plan.slow_rounds))
    share = 1 + flush / FLUSH_SECONDS
    return {
        "us": found["us"],
        "wall": [ratio * share for ratio in found["wall"]],
        "cpu": found["cpu"],
        "flush_ms": flush * 1000,
    }


def _noting(call: Call, record: Callable[[Any], object]) -> Call:
    """Return ``call`` with another way to note a use: both ways are set in the same manner, which costs both the same."""

    def noting() -> None:
        recorder.record = record  # type: ignore[method-assign,assignment]
        call()

    return noting


def _flush(counts: Callable[[Any], object], secrets: itertools.cycle[str]) -> float:
    """Return the seconds that it takes to write one use of each key."""
    recorder.record = counts  # type: ignore[method-assign,assignment]
    for secret in itertools.islice(secrets, KEYS):
        verify(secret)
    return timed(recorder.flush, 1)[0] / 1e9
