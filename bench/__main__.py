"""``python -m bench [quick|full|large] [part …] [--write]``: every part, each in a process of its own, and the table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import scale
from .databases import KINDS
from .machine import about
from .plan import PLANS
from .report import details, ideas, misnamed, summary, write

DOCS = Path(__file__).resolve().parents[1] / "docs"
PARTS = {
    "in_process": KINDS,
    "instructions": ("sqlite",),
    "wire": ("postgres",),
    "deployment": KINDS,
    "disk": ("postgres",),
    "endpoints": KINDS,
    "pages": KINDS,
    "owners": KINDS,
    "table_size": KINDS,
    "purge": KINDS,
}
#: For one part; the longest takes a few minutes, and half an hour with ten million rows.
MOST_SECONDS = 3600


def run(part: str, kind: str, plan: str) -> dict[str, Any]:
    """Run a part in a process of its own and return its rows, or why there are none."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "found.json"
        child = subprocess.Popen([sys.executable, "-m", "bench.child", part, kind, plan, str(file)])
        status: int | str = "too late"
        try:
            status = child.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Asked first, so that it stops its servers; this is also where Control-C comes out.
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(60)
                except subprocess.TimeoutExpired:
                    child.kill()
        return json.loads(file.read_text()) if status == 0 else {"skipped": f"it failed: {status}"}


def main() -> int:
    """Run what is asked for; the exit status is 1 when a part failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("plan", nargs="?", choices=PLANS, default="full")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--write", action="store_true", help="put the figures into the documentation")
    options = parser.parse_args()
    wanted = options.parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")

    if options.write and options.parts:
        parser.error("--write is for all parts: the page has one run's figures")

    # As Control-C: a part that runs is asked to end, and ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    load, began, results = os.getloadavg()[0], time.monotonic(), {}
    for part in wanted:
        for kind in PARTS[part]:
            print(f"\n{part}, {kind}", flush=True)
            results[f"{part}/{kind}"] = rows = run(part, kind, options.plan)
            print("\n".join(details(rows)), flush=True)
    lines = list(about(options.plan, (time.monotonic() - began) / 60, load))
    print("\n".join(["", *lines, "", *summary(results), "", *ideas(results)]))
    if options.write:
        write(DOCS / "performance.md", results, lines)
        scale.write(DOCS / "how-far-does-it-go.md", results)
    if absent := [*misnamed(results), *scale.absent(results)]:
        print("\nbench/goals.py or bench/scale.py names what was not measured:", *absent, sep="\n  ")
    return bool(absent) or any("failed" in rows.get("skipped", "") for rows in results.values())


if __name__ == "__main__":
    sys.exit(main())
