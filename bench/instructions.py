"""Instructions of the processor for one authenticated request, counted by valgrind: the same on a busy machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .plan import Plan
from .rows import BARE, ROWS

__all__ = ["measure"]

MOST_SECONDS = 1200


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each of the in-process part, or why there is none."""
    if not plan.counted_calls:
        return {"skipped": "not in the short form"}
    if shutil.which("valgrind") is None:
        return {"skipped": "valgrind is missing: apt-get install valgrind"}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
        counted = subprocess.run(
            [*command, sys.executable, "-m", "bench.counted", str(plan.counted_calls)],
            # With one seed, dictionaries of strings are laid out alike in each run.
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
        if counted.returncode:
            return {"skipped": f"valgrind failed: {counted.stderr[-300:]}"}
        dumps = {}
        for file in Path(folder).glob("out.*"):
            text = file.read_text()
            name, total = re.search(r"Trigger: dump (.+)", text), re.search(r"^totals: (\d+)", text, re.MULTILINE)
            if name and total:
                dumps[name[1]] = int(total[1])
    return _rows(dumps, plan.counted_calls)


def _rows(dumps: dict[str, int], calls: int) -> dict[str, Any]:
    """Return instructions and their ratio to the bare view's. A dump of 2n calls less one of n has no constant in it."""
    names = [row.name for row in (BARE, *ROWS)]
    each = {name: (dumps[f"{name} x2"] - dumps[f"{name} x1"]) / calls for name in names}
    return {name: {"instructions": round(value), "ratio": value / each["bare"]} for name, value in each.items()}
