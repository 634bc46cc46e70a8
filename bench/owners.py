"""Sessions of one end user: what using one of many costs beside using the only one."""

from __future__ import annotations

from typing import Any

from .measure import compare
from .plan import Plan
from .rows import by_knox, by_session
from .series import analyze
from .sessions import fill

__all__ = ["measure"]

KNOX_TOKENS = 100


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each number of sessions, beside the first; and the same of knox, which reads all of a user's."""
    few, *_ = plan.sessions
    clients = {}
    for sessions in plan.sessions:
        owner = f"owner_{sessions}"
        if sessions > 1:
            # Beside the one that is copied and the one that is used.
            fill(sessions - 2, owner, one_owner=True)
        clients[sessions] = by_session(owner, owner).client()
    analyze()
    found = {
        f"sessions: {sessions:,}": compare(clients[few], client, rounds=plan.rounds, calls=plan.calls)
        for sessions, client in clients.items()
    }
    one, many = (by_knox(f"knox {tokens}", tokens).client() for tokens in (1, KNOX_TOKENS))
    found[f"knox tokens: {KNOX_TOKENS}"] = compare(one, many, rounds=plan.rounds, calls=plan.calls)
    return found
