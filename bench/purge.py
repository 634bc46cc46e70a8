"""Deleting half of a table while others mint and exchange beside it: the longest that one of them waits."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.models import PortalSession

from .made import a_code, a_portal
from .plan import Plan
from .series import analyze, copy_rows, from_text, moment, number
from .sessions import fill

__all__ = ["measure"]

IDLE_SECONDS = 2.0
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


def _row(waits: list[float]) -> dict[str, Any]:
    return {"acts": len(waits), "p50_ms": sorted(waits)[len(waits) // 2], "longest_ms": max(waits)}


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row without a purge, one with ours and one with Django's clearsessions."""
    fill(plan.purged, "live")
    fill(plan.purged, "ended", days=-60)
    ended = Session.objects.create(session_key="original", session_data="x" * 200, expire_date=timezone.now())
    copy_rows(ended, plan.purged, session_key=from_text("k", number), expire_date=moment(-1))
    analyze()
    _beside(iter(range(100, -1, -1)).__next__)
    ends = time.monotonic() + IDLE_SECONDS
    found = {"nothing beside": _row(_beside(lambda: time.monotonic() < ends))}
    for name, rows in (("portal_purge", PortalSession.objects), ("clearsessions", Session.objects)):
        before = rows.count()
        waits, seconds = _while_running(name)
        deleted = before + (len(waits) // 2 if rows.model is PortalSession else 0) - rows.count()
        found[name] = _row(waits) | {"deleted": deleted, "rows_per_s": deleted / seconds}
    return found
