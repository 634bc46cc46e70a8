"""The import itself: records in batches, what became of them, and how far it is."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any, BinaryIO, NamedTuple, TextIO

from portal.contrib.keys.models import ApiKey, ImportedKey, ImportOutcome

from .progress import Progress
from .records import read
from .refusals import Refusal
from .rows import key_of

__all__ = ["SHOWN", "Import", "Refused"]

#: So many refused rows are kept in memory, to be told of at the end.
SHOWN = 20

_REASONS = {
    ImportOutcome.NAME_TAKEN: Refusal("name", "The user has another key of this name."),
    ImportOutcome.OTHER_OWNER: Refusal("hash", "Another user has this key."),
    ImportOutcome.REPEATED: Refusal("hash", "An earlier row has this hash, and was refused."),
}


class Refused(NamedTuple):
    """A row that was not imported: the number of its first line, and why."""

    line: int
    column: str
    reason: str


class Import:
    """One run over one file. It holds a batch of rows, and nothing that grows with the file.

    :param keyspace_id: for rows that name none; may be empty.
    :param batch: rows a transaction.
    :param report: where all refused rows go, as CSV; None for nowhere.
    """

    def __init__(
        self, keyspace_id: str, batch: int, *, dry_run: bool, report: TextIO | None, progress: Progress
    ) -> None:
        #: How many rows were imported, skipped and refused.
        self.counts: Counter[str] = Counter()
        #: The first of those that were refused.
        self.refused: list[Refused] = []
        self._keyspace_id = keyspace_id
        self._batch = batch
        self._dry_run = dry_run
        self._report: Any = None
        if report is not None:
            self._report = csv.writer(report)
            self._report.writerow(Refused._fields)
        self._progress = progress

    def run(self, file: BinaryIO, kind: str) -> None:
        """Import the records of ``file``, and close it.

        :param kind: one of :data:`~portal.contrib.keys.management.records.FORMATS`.
        :raises FileRefused: nothing of it can be imported.
        """
        waiting: list[tuple[int, ImportedKey]] = []
        # Bytes that are no UTF-8 come through as half characters, so that they cost their row and not the file.
        with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            for line, values in read(text, kind):
                key = values if isinstance(values, Refusal) else key_of(values, self._keyspace_id)
                if isinstance(key, Refusal):
                    self._refuse(line, key)
                else:
                    waiting.append((line, key))
                if len(waiting) == self._batch:
                    self._write(waiting)
                    waiting = []
                self._progress.show(file, self.counts)
        self._write(waiting)
        self._progress.show(file, self.counts, last=True)

    def _write(self, waiting: list[tuple[int, ImportedKey]]) -> None:
        outcomes = ApiKey.objects.import_hashed([key for _line, key in waiting], dry_run=self._dry_run)
        for (line, _key), outcome in zip(waiting, outcomes, strict=True):
            if outcome in _REASONS:
                self._refuse(line, _REASONS[outcome])
            else:
                self.counts["imported" if outcome is ImportOutcome.IMPORTED else "skipped"] += 1

    def _refuse(self, line: int, refusal: Refusal) -> None:
        refused = Refused(line, *refusal)
        self.counts["refused"] += 1
        if len(self.refused) < SHOWN:
            self.refused.append(refused)
        if self._report:
            self._report.writerow(refused)
