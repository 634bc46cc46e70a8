"""What verification notes of every request with a known key, and how that reaches the database without a write in a request.

:meth:`Recorder.record` is called with each outcome and works in memory only; what came together is written after a request
has been answered, at most every :data:`FLUSH_SECONDS`, and when the process ends. Written is when a key, each of its
secrets, and a root key were used last. That is a hint for people, so it may be lost: with a process that is killed, or when
a row is held by somebody else at the moment of writing, for whom nothing here ever waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
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
        if self._used and (time.monotonic() >= self._due or len(self._used) >= PENDING):
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
        except Exception as error:
            # Whatever it is: the request that happens to end now is somebody else's.
            logger.warning(
                "The last use of %d keys and secrets could not be written: %s", len(used), type(error).__name__
            )
            with self._lock:
                for row, moment in used.items():
                    self._note(row, moment)

    def forget(self) -> None:
        """Forget what has gathered; for tests, between two of them."""
        with self._lock:
            self._used = {}
            self._due = 0.0


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
    with transaction.atomic(using=using):
        rows.filter(behind, pk__in=free).update(last_used_at=moment)


#: This process's.
recorder = Recorder()
