"""Why a record is not imported. Nothing here repeats what stands in the file: that may be somebody's key."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Refusal"]


class Refusal(NamedTuple):
    """A reason, as a sentence, and the column that it is about; empty for the whole record."""

    column: str
    reason: str
