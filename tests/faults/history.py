"""Does a history of exchanges fit a code that can be taken once? The model is a test-and-set register for each code.

A call is recorded with its start, its end and how it ended: ``ok``, ``refused``, or ``unknown`` when the answer got lost or
was a 5xx. An unknown call may have taken the code or not. All calls of one browser with one code count as one attempt,
because that browser, and nobody else, may be given the same answer again (design decision 6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call. Times are of one monotonic clock; ``caller`` names the browser, or the one call of an API client."""

    code: str
    caller: str
    start: float
    end: float
    outcome: Outcome
    token: str = ""


def violations(history: Iterable[Exchange]) -> list[str]:
    """Return what in ``history`` cannot be explained, in words; nothing when all of it can."""
    by_code: defaultdict[str, list[Exchange]] = defaultdict(list)
    for call in history:
        by_code[call.code].append(call)
    return [f"{code[:8]}…: {problem}" for code, calls in by_code.items() for problem in _violations(calls)]


def _violations(calls: list[Exchange]) -> list[str]:
    problems = []
    attempts: defaultdict[str, list[Exchange]] = defaultdict(list)
    for call in calls:
        attempts[call.caller].append(call)
    winners = {caller for caller, own in attempts.items() if any(call.outcome == "ok" for call in own)}
    if len(winners) > 1:
        problems.append(f"taken by {len(winners)} callers")
    if len({call.token for call in calls if call.outcome == "ok"}) > 1:
        problems.append("more than one token was handed out")
    # Who may have taken it: the winner, or else everybody who does not know.
    takers = winners or {caller for caller, own in attempts.items() if any(call.outcome == "unknown" for call in own)}
    began = [min(call.start for call in attempts[caller] if call.outcome != "refused") for caller in takers]
    # A register that is set was set before: a code that is refused before anybody can have had it was lost.
    refusals = (call for call in calls if call.outcome == "refused")
    if not all(any(start < refusal.end for start in began) for refusal in refusals):
        problems.append("refused although nobody can have taken it yet")
    return problems
