"""Events as CSV, streamed, whatever their number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from portal.csv_text import csv_line
from portal.models import PortalEvent
from portal.models.event import FIELDS

__all__ = ["csv_lines"]


def csv_lines(pages: Iterable[list[PortalEvent]]) -> Iterator[str]:
    """Return a header and one line an event: times in ISO 8601, ``detail`` as JSON, formulas defused by an apostrophe."""
    yield csv_line(FIELDS)
    for events in pages:
        # One text a page: a chunk for each line would cost more than the line.
        yield "".join(csv_line(_cells(event)) for event in events)


def _cells(event: PortalEvent) -> Iterable[Any]:
    values = {
        **event.fields(),
        "detail": json.dumps(event.detail, ensure_ascii=False, sort_keys=True),
        "created_at": event.created_at.isoformat(),
    }
    return values.values()
