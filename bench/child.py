"""One part of the bench on one database, in this process: ``python -m bench.child in_process sqlite quick``."""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import django

from .databases import databases
from .plan import PLANS, Plan

__all__ = ["run"]


def set_up(kind: str, plan: Plan) -> None:
    """Make the databases, set Django up on them, and migrate ``default``."""
    # Its servers and other children find the databases there.
    aliases = ["default", *(f"rows_{size}" for size in plan.sizes)]
    os.environ["BENCH_DATABASES"] = json.dumps(databases(kind, aliases))
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


def run(part: str, kind: str, plan: Plan) -> dict[str, Any]:
    """Return what the part measures."""
    set_up(kind, plan)
    found: dict[str, Any] = import_module(f"bench.{part}").measure(plan, kind)
    return found


def _end(*_: Any) -> None:
    """Stop this process's servers and leave. An exception raised here could be lost, in a finalizer that just runs."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    atexit._run_exitfuncs()
    os._exit(1)


def main() -> None:
    """Run a part, and write its figures to the file that is named, or for people."""
    signal.signal(signal.SIGTERM, _end)
    part, kind, name, *files = sys.argv[1:]
    found = run(part, kind, PLANS[name])
    for file in files:
        Path(file).write_text(json.dumps(found))
    if not files:
        from .report import details

        print("\n".join(details(found)))


if __name__ == "__main__":
    main()
