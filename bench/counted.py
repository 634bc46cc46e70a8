"""What runs under valgrind for the part ``instructions``: each row's requests, n and then 2n, with a dump after each."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import django

__all__ = ["main"]


def _control(*arguments: str) -> None:
    subprocess.run(["callgrind_control", *arguments, str(os.getpid())], capture_output=True, check=True, timeout=60)


def main() -> None:
    """Send the requests of every row."""
    django.setup()
    from portal.contrib.keys.recorder import recorder

    from .rows import BARE, ROWS

    calls = int(sys.argv[1])
    for row in (BARE, *ROWS):
        client = row.client()
        for _ in range(3):
            client()
        # Or a collection falls into one count and not into the other.
        gc.collect()
        gc.disable()
        for times in (1, 2):
            # What a row before noted of its API key is written every ten seconds, in whoever's request ends then.
            recorder.flush()
            _control("--instr=on")
            for _ in range(times * calls):
                client()
            _control(f"--dump={row.name} x{times}")
            _control("--instr=off")
        gc.enable()


if __name__ == "__main__":
    main()
