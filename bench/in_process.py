"""One authenticated request: Django's handler called directly, each row beside the bare view."""

from __future__ import annotations

from typing import Any

from . import counting
from .measure import compare, count_queries
from .plan import Plan
from .rows import API_KEY, BARE, rows_of

__all__ = ["measure"]


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for the bare view against itself, the portal's credentials and the peers', and for counting."""
    bare = BARE.client()
    found = {}
    for row in (BARE, *rows_of(plan, f"in_process/{kind}")):
        client = row.client()
        # The first call of each fills what is kept for the life of a process.
        client()
        found[row.name] = compare(bare, client, rounds=plan.rounds, calls=plan.calls) | count_queries(client)
    return found | counting.measure(plan, API_KEY)
