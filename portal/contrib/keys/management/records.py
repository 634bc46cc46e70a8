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
_MAX_RECORD = 131072


class FileRefused(Exception):
    """Nothing of the file can be imported; the text says why."""


class Record(NamedTuple):
    """The values of one record by column, or why there are none. ``line`` is its first line, from 1."""

    line: int
    values: dict[str, Any] | Refusal


class _Lines:
    """The lines of a CSV. It refuses a record that grows too long, before the reader of CSV has all of it in memory."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._number = 0
        self._left = _MAX_RECORD

    def begin(self) -> int:
        """Begin a record, and return the number of its first line."""
        self._left = _MAX_RECORD
        return self._number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = self._file.readline(_MAX_RECORD + 1)
        if not text:
            raise StopIteration
        self._number += 1
        self._left -= len(text)
        if self._left < 0:
            _skip_line(self._file, text)
            raise csv.Error(f"a record has more than {_MAX_RECORD} characters")
        return text


def read(file: TextIO, kind: str) -> Iterator[Record]:
    """Return the records of ``file``, which was opened with ``newline=""``.

    :param kind: one of :data:`FORMATS`.
    :raises FileRefused: the header of a CSV is not as it must be.
    """
    return _read_csv(file) if kind == "csv" else _read_json(file)


def _read_csv(file: TextIO) -> Iterator[Record]:
    csv.field_size_limit(_MAX_RECORD)
    lines = _Lines(file)
    rows = csv.reader(lines)
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise FileRefused(f"The first line is no header: {error}.") from None
    _check_header(header)
    while True:
        line = lines.begin()
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
    while text := file.readline(_MAX_RECORD + 1):
        line += 1
        if len(text) > _MAX_RECORD:
            yield Record(line, Refusal("", f"This line has more than {_MAX_RECORD} characters."))
            _skip_line(file, text)
        elif text.strip():
            yield Record(line, _json_values(text))


def _skip_line(file: TextIO, text: str) -> None:
    """Read to the end of the line that begins with ``text``, and keep nothing of it."""
    while text and not text.endswith(("\n", "\r")):
        text = file.readline(_MAX_RECORD)


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
