"""Events as CSV, streamed, whatever their number."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from portal.models import PortalEvent
from portal.models.event import FIELDS

__all__ = ["csv_lines"]

# What a spreadsheet takes for a formula when a cell begins with it. External ids and names come from others, and a formula
# can send what stands beside it to a stranger.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Lines:
    """What csv.writer writes to: hands each line back."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def csv_lines(pages: Iterable[list[PortalEvent]]) -> Iterator[str]:
    """Return a header and one line an event: times in ISO 8601, ``detail`` as JSON, formulas defused by an apostrophe."""
    writer: Any = csv.writer(_Lines())
    yield writer.writerow(FIELDS)
    for events in pages:
        # One text a page: a chunk for each line would cost more than the line.
        yield "".join(writer.writerow(_cells(event)) for event in events)


def _cells(event: PortalEvent) -> list[str]:
    values = {
        **event.fields(),
        "detail": json.dumps(event.detail, ensure_ascii=False, sort_keys=True),
        "created_at": event.created_at.isoformat(),
    }
    return [_defused("" if value is None else str(value)) for value in values.values()]


def _defused(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
