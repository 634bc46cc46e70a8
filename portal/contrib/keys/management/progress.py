"""A bar that says how far the reading of a file is, where somebody is looking."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from typing import BinaryIO

from django.core.management.base import OutputWrapper

__all__ = ["Progress"]

_WIDTH = 30
_SECONDS = 0.2


class Progress:
    """A bar on a terminal; on anything else nothing."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream if stream.isatty() else None
        self._shown = 0.0

    def show(self, file: BinaryIO, counts: Mapping[str, int], *, last: bool = False) -> None:
        """Draw how much of ``file`` was read, and what became of it; a few times a second at most."""
        now = time.monotonic()
        if self._stream is None or (now - self._shown < _SECONDS and not last):
            return
        self._shown = now
        share = 1.0 if last else _share(file)
        bar = "#" * round(share * _WIDTH)
        # Back to the first column, and clear what an earlier and longer line left.
        words = ", ".join(f"{counts[name]:,} {name}" for name in ("imported", "skipped", "refused"))
        line = f"\r[{bar:<{_WIDTH}}] {share:4.0%}  {words}\033[K"
        self._stream.write(line, style_func=str, ending="\n" if last else "")
        self._stream.flush()


def _share(file: BinaryIO) -> float:
    """Return how much of a file was read, from 0 to 1; nobody knows of a pipe."""
    status = os.fstat(file.fileno())
    return min(file.tell() / status.st_size, 1.0) if stat.S_ISREG(status.st_mode) and status.st_size else 0.0
