"""Lines of CSV that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["csv_line"]

# What a spreadsheet takes for a formula when a cell begins with it. Names and ids come from others, and a formula can send
# what stands beside it to a stranger. Many trim a cell first: what comes after spaces, wide and invisible ones too, counts.
#
# Where it separates by ";" or by tabs, as in much of Europe, a cell also begins in the middle of ours: the quotes around
# ours are not at the beginning of its cell, so they hold nothing together there, not even lines. The apostrophe stands where
# that cell would begin, before quotes and spaces, which may get lost.
_BEFORE = r"""(?:["\u200b-\u200f\u2060\ufeff]|[^\S\t\r\n])*"""
_FORMULA = re.compile(rf"^(?=[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?={_BEFORE}[=+\-@＝＋－＠])")


class _Lines:
    """What csv.writer writes to: hands each line back."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


_writer: Any = csv.writer(_Lines())


def csv_line(cells: Iterable[object]) -> str:
    """Return one line of RFC 4180, with its end; None is an empty cell, and formulas are defused by an apostrophe."""
    line: str = _writer.writerow(["" if cell is None else _defused(str(cell)) for cell in cells])
    return line


def _defused(text: str) -> str:
    return _FORMULA.sub("'", text)
