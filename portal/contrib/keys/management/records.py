"""Records of a file, one at a time with their line numbers, however large the file is: CSV with a header, or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from .refusals import Refusal

__all__ = ["COLUMNS", "FORMATS", "FileRefused", "Record", "read"]

COLUMNS = (
    "hash",
    "external_id",
    "keyspace",
    "name",
    "start",
    "enabled",
    "expires",
    "permissions",
    "metadata",
    "rate_limit",
    "rate_limit_seconds",
    "created",
)
_REQUIRED = ("hash", "external_id")

#: The formats, and the suffixes of file names that stand for them.
FORMATS = {"csv": (".csv",), "jsonl": (".jsonl", ".ndjson")}

#: In characters; what is longer is no record of a key, and is not kept in memory.
_MAX_LINE = 131072


class FileRefused(Exception):
    """Nothing of the file can be imported; the text says why."""


class Record(NamedTuple):
    """The values of one record by column, or why there are none. ``line`` is its first line, from 1."""

    line: int
    values: dict[str, Any] | Refusal


def read(file: TextIO, kind: str) -> Iterator[Record]:
    """Return the records of ``file``, which was opened with ``newline=""``.

    :param kind: one of :data:`FORMATS`.
    :raises FileRefused: the header of a CSV is not as it must be.
    """
    return _read_csv(file) if kind == "csv" else _read_json(file)


def _read_csv(file: TextIO) -> Iterator[Record]:
    csv.field_size_limit(_MAX_LINE)
    rows = csv.reader(file)
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise FileRefused(f"The first line is no header: {error}.") from None
    _check_header(header)
    line = rows.line_num + 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Record(line, Refusal("", f"This is no CSV: {error}."))
        else:
            if row is None:
                return
            if len(row) == len(header):
                yield Record(line, {name: value for name, value in zip(header, row, strict=True) if value != ""})
            elif row:
                yield Record(line, Refusal("", f"This has {len(row)} values; the header has {len(header)} columns."))
        line = rows.line_num + 1


def _check_header(header: list[str]) -> None:
    if unknown := [name for name in header if name not in COLUMNS]:
        # A column that is left out silently, such as a misspelt "expires", would make other keys than were meant. Not its
        # name: a file without a header begins with somebody's key.
        number = header.index(unknown[0]) + 1
        raise FileRefused(f"Column {number} of the first line is none of {', '.join(COLUMNS)}.")
    if missing := [name for name in _REQUIRED if name not in header]:
        raise FileRefused(f"The first line must name the columns, {' and '.join(missing)} among them.")
    if len({*header}) < len(header):
        raise FileRefused("The first line names a column twice.")


def _read_json(file: TextIO) -> Iterator[Record]:
    line = 0
    while text := file.readline(_MAX_LINE + 1):
        line += 1
        if len(text) > _MAX_LINE:
            yield Record(line, Refusal("", f"This line has more than {_MAX_LINE} characters."))
            while text and not text.endswith("\n"):
                text = file.readline(_MAX_LINE)
        elif text.strip():
            yield Record(line, _json_values(text))


def _json_values(text: str) -> dict[str, Any] | Refusal:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return Refusal("", "This is no JSON.")
    if not isinstance(values, dict):
        return Refusal("", "This is no JSON object.")
    if not values.keys() <= {*COLUMNS}:
        return Refusal("", f"This has a member that is none of {', '.join(COLUMNS)}.")
    return {name: value for name, value in values.items() if value is not None and value != ""}
