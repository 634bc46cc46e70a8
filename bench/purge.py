"""Deleting half of a table while others mint and exchange beside it: the longest that one of them waits."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any

from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.models import PortalSession

from .made import a_code, a_portal
from .plan import Plan
from .series import copy_rows, from_text, moment, number, settle
from .sessions import fill

__all__ = ["Run", "measure", "row_of"]

IDLE_SECONDS = 3.0
MOST_SECONDS = 900


def _while_running(name: str) -> tuple[list[float], float]:
    """Run a management command on the same database, in a process of its own as cron does; return waits and seconds."""
    code = (
        "import sys, time, django; django.setup()\n"
        "from django.core.management import call_command\n"
        "began = time.perf_counter(); call_command(sys.argv[1], verbosity=0)\n"
        "print(f'\\n{time.perf_counter() - began}')"
    )
    ends = time.monotonic() + MOST_SECONDS
    with subprocess.Popen([sys.executable, "-c", code, name], stdout=subprocess.PIPE, env=os.environ) as process:
        atexit.register(process.kill)
        try:
            waits = _beside(lambda: process.poll() is None and time.monotonic() < ends)
        finally:
            process.kill()
        output, _ = process.communicate()
    return waits, float(output.split()[-1])


def _beside(still: Callable[[], Any]) -> list[float]:
    """Mint and exchange, each timed by itself, for as long as ``still`` says; return the milliseconds."""
    portal, users = a_portal(), count()
    codes: list[str] = []
    waits: list[float] = []

    def mint() -> None:
        codes.append(a_code(f"beside_{next(users)}", portal).secret)

    def exchange() -> None:
        PortalSession.objects.exchange(codes.pop())

    while still():
        for act in (mint, exchange):
            began = time.perf_counter()
            act()
            waits.append((time.perf_counter() - began) * 1000)
        # Arrivals, not a siege: on SQLite who asks at once again may keep the other out.
        time.sleep(0.001)
    return waits


@dataclass(frozen=True)
class Run:
    """What happened beside nothing, or beside one run of a command.

    :param waits: milliseconds of each act.
    :param seconds: how long the command ran, without its start.
    """

    waits: list[float]
    deleted: int = 0
    seconds: float = 0.0


def _round(rows: int) -> dict[str, Run]:
    """Add so many rows that ended to each table, and return the runs beside nothing and beside each command."""
    fill(rows, "ended", days=-60)
    ended = Session.objects.create(session_key="original", session_data="x" * 200, expire_date=timezone.now())
    copy_rows(ended, rows, session_key=from_text("k", number), expire_date=moment(-1))
    settle()
    ends = time.monotonic() + IDLE_SECONDS
    found = {"nothing beside": Run(_beside(lambda: time.monotonic() < ends))}
    for name, left in (("portal_purge", PortalSession.objects), ("clearsessions", Session.objects)):
        before = left.count()
        waits, seconds = _while_running(name)
        minted = len(waits) // 2 if left.model is PortalSession else 0
        found[name] = Run(waits, before + minted - left.count(), seconds)
    return found


def row_of(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the row of a command's runs. ``longest_ms`` is each run's longest wait: the least, the median, the greatest."""
    waits, longest = [wait for run in runs for wait in run.waits], [max(run.waits) for run in runs]
    row = {
        "acts": len(waits),
        "p50_ms": median(waits),
        "longest_ms": [min(longest), median(longest), max(longest)],
    }
    deleted, seconds = sum(run.deleted for run in runs), sum(run.seconds for run in runs)
    return row | ({"deleted": deleted, "rows_per_s": deleted / seconds} if seconds else {})


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row without a purge, one with ours and one with Django's clearsessions, each of several runs in turn."""
    fill(plan.purged, "live")
    _beside(iter(range(100, -1, -1)).__next__)
    rounds = [_round(plan.purged) for _ in range(plan.purges)]
    return {name: row_of([found[name] for found in rounds]) for name in rounds[0]}
