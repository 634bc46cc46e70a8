"""What verification notes of every request with a known key, and how that reaches the database without a write in a request.

:meth:`Recorder.record` is called with each outcome and works in memory only; what came together is written after a request
has been answered, at most every :data:`FLUSH_SECONDS`, and when the process ends. Written is when a key, each of its
secrets, and a root key were used last. That is a hint for people, so it may be lost with a process that is killed, and
nothing waits for it: a row that somebody else holds at the moment of writing is left out. On SQLite, where a writer holds
the whole file, the wait is 50 milliseconds at most, and what was not written is tried again the next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from django.db import connections, models, router, transaction

from portal.keystore.base import Outcome

from .models import ApiKey, KeySecret

__all__ = ["FLUSH_SECONDS", "PENDING", "Recorder", "Use", "recorder"]

logger = logging.getLogger("portal.keys")

FLUSH_SECONDS = 10.0
#: How many rows may wait to be written; then there is no waiting any more, and what does not fit is not noted.
PENDING = 10_000
_BATCH = 100
# In milliseconds: longer than the app's own writes on SQLite take, and far shorter than the busy timeout.
_SQLITE_PATIENCE = 50

#: The outcomes of a request whose key was good, whatever else refused it.
_USES = frozenset({Outcome.VALID, Outcome.RATE_LIMITED, Outcome.INSUFFICIENT_PERMISSIONS})

_Row = tuple[type[models.Model], int]


@dataclass(frozen=True, slots=True)
class Use:
    """A request that presented a known key.

    :param moment: when it was judged.
    :param tags: the caller's own words for it.
    """

    key_pk: int
    secret_pk: int
    outcome: Outcome
    moment: datetime
    tags: tuple[str, ...] = ()


class Recorder:
    """Gathers, in this process, what happened since the last write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[_Row, datetime] = {}
        self._due = 0.0
        self._failed = False

    def record(self, use: Use) -> None:
        """Note one request. Never raises and never asks the database."""
        if use.outcome in _USES:
            self.note_used(ApiKey, use.key_pk, use.moment)
            self.note_used(KeySecret, use.secret_pk, use.moment)

    def note_used(self, model: type[models.Model], pk: int, moment: datetime) -> None:
        """Note that a row was used; ``last_used_at`` of ``model`` will say so."""
        with self._lock:
            self._note((model, pk), moment)

    def _note(self, row: _Row, moment: datetime) -> None:
        noted = self._used.get(row)
        if noted is None:
            if len(self._used) < PENDING:
                self._used[row] = moment
        elif noted < moment:
            self._used[row] = moment

    def flush_if_due(self, **signal: Any) -> None:
        """Write what has gathered, if it is time; a receiver of ``request_finished``."""
        # A full memory is no reason to ask a database that has just refused.
        is_full = len(self._used) >= PENDING and not self._failed
        if self._used and (is_full or time.monotonic() >= self._due):
            self.flush()
            # Django closed what was due before this, and a thread that ends here must leave no connection open. A test that
            # runs in a transaction has one at this point.
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()

    def flush(self) -> None:
        """Write what has gathered. What the database refuses is tried again the next time; nothing is raised."""
        with self._lock:
            used, self._used = self._used, {}
            self._due = time.monotonic() + FLUSH_SECONDS
        try:
            for model, batch in _batches(used):
                _write(model, batch)
                for pk in batch:
                    del used[model, pk]
            self._failed = False
        except Exception as error:
            # Whatever it is: the request that happens to end now is somebody else's.
            logger.warning(
                "The last use of %d keys and secrets could not be written: %s", len(used), type(error).__name__
            )
            with self._lock:
                self._failed = True
                self._due = time.monotonic() + FLUSH_SECONDS
                for row, moment in used.items():
                    self._note(row, moment)

    def forget(self) -> None:
        """Forget what has gathered; for tests, between two of them."""
        with self._lock:
            self._used = {}
            self._due = 0.0
            self._failed = False


def _batches(used: dict[_Row, datetime]) -> Iterator[tuple[type[models.Model], dict[int, datetime]]]:
    rows = sorted(used.items(), key=lambda item: (item[0][0]._meta.label, item[0][1]))
    for model, of_model in groupby(rows, key=lambda item: item[0][0]):
        while batch := {pk: moment for (_, pk), moment in islice(of_model, _BATCH)}:
            yield model, batch


def _write(model: type[models.Model], batch: dict[int, datetime]) -> None:
    """Move ``last_used_at`` forward, each row to its own moment, in one statement. No other column changes."""
    using = router.db_for_write(model)
    field = models.DateTimeField()
    moment = models.Case(
        *(models.When(pk=pk, then=models.Value(value, output_field=field)) for pk, value in batch.items()),
        output_field=field,
    )
    rows = model._base_manager.using(using)
    # Only rows that nobody holds: who never waits is in no deadlock, whatever order others lock theirs in.
    free = rows.filter(pk__in=list(batch)).select_for_update(skip_locked=True, no_key=True).values("pk")
    behind = models.Q(last_used_at=None) | models.Q(last_used_at__lt=moment)
    with _impatience(using), transaction.atomic(using=using):
        rows.filter(behind, pk__in=free).update(last_used_at=moment)


@contextmanager
def _impatience(using: str) -> Iterator[None]:
    """On SQLite, wait for whoever writes for :data:`_SQLITE_PATIENCE` and not for the host's busy timeout."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    # Past Django's cursors, which refuse everything in a transaction that has failed: the timeout must come back.
    raw = connection.connection
    (before,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute(f"PRAGMA busy_timeout = {_SQLITE_PATIENCE}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout = {before}")


#: This process's.
recorder = Recorder()
