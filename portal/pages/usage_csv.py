"""Usage as CSV, streamed: one line for each key that was used and each hour or day, the same numbers as on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portal.csv_text import csv_line
from portal.keystore.usage import DAY, Tally, Usage

from .usage_words import other_keys

__all__ = ["csv_lines"]


def csv_lines(usage: Usage, names: Mapping[str, str]) -> Iterator[str]:
    """Return the header and the lines: starts in ISO 8601 and UTC, the most used key first.

    Names of columns are not translated: programs go by them. Keys that a summary does not tell apart are together in the
    last lines, which have no id.

    :param names: of the owner's keys, by id; a key that is gone has none.
    """
    parts = [(key_id, names.get(key_id, ""), usage.only(key_id)) for key_id, _total in usage.by_key]
    if usage.others:
        parts.append(("", other_keys(usage.others), usage.only("")))
    # In words before it is streamed, when the language of the page is gone.
    return _lines(usage, parts)


def _lines(usage: Usage, parts: list[tuple[str, str, Usage]]) -> Iterator[str]:
    form = "%Y-%m-%d" if usage.window.bucket == DAY else "%Y-%m-%dT%H:%MZ"
    starts = [start.strftime(form) for start in usage.window.starts]
    yield csv_line(("start", "key_id", "key", "total", *Tally._fields))
    for key_id, name, part in parts:
        # One text a key: a chunk for each line would cost more than the line.
        yield "".join(
            csv_line((start, key_id, name, tally.total, *tally))
            for start, tally in zip(starts, part.series, strict=True)
        )
