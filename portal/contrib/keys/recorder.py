"""What verification notes of every request with a known key, and how that reaches the database without a write in a request.

:meth:`Recorder.record` is called with each outcome and works in memory only; what came together is written after a request
has been answered, at most every :data:`FLUSH_SECONDS`, and when the process ends. Written is how often each key was
presented, by hour and outcome, and when a key, each of its secrets, and a root key were used last.

A process that is killed loses what it noted since its last write, and nothing is ever counted twice: what was surely not
written is tried again, and what may have been written is not. When a row was used last is a hint for people: a row that
somebody else holds at the moment of writing is left out. On SQLite, where a writer holds the whole file, the wait is 50
milliseconds at most, and then the rest is tried again the next time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connections, models

from portal.keystore.base import Outcome

from .models import ApiKey, KeySecret
from .models.usage import Count
from .recorder_writes import Row, write_counts, write_last_used

if TYPE_CHECKING:
    from .verify import VerifiedKey

__all__ = ["FLUSH_SECONDS", "PENDING", "Recorder", "Use", "count_with", "recorder"]

logger = logging.getLogger("portal.keys")

FLUSH_SECONDS = 10.0
#: How many counts may wait to be written; then there is no waiting any more, and what does not fit is not noted.
PENDING = 10_000
#: How many uses are noted before they are counted, all at once: one by one, that costs each request three times as much.
_NOTED = 100

#: The outcomes of a request whose key was good, whatever else refused it.
_USES = frozenset({Outcome.VALID, Outcome.RATE_LIMITED, Outcome.INSUFFICIENT_PERMISSIONS})


class Use(NamedTuple):
    """A request that presented a known key.

    :param key: the key; of an old secret that has ended too.
    :param moment: when it was judged, aware UTC.
    :param tags: the caller's own words for it.
    """

    key: VerifiedKey
    outcome: Outcome
    moment: datetime
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class _Seen:
    number: int
    last: datetime


class Recorder:
    """Gathers, in this process, what happened since the last write."""

    def __init__(self) -> None:
        #: Who else is told, and whether the table counts.
        self.counter: Callable[[Use], object] | None = None
        self.table = True
        self.forget()

    def forget(self) -> None:
        """Forget what has gathered: for tests, and in a process that was forked, whose parent writes it."""
        # A new lock too: at a fork another thread may have held the old one, and that thread is not here.
        self._lock = threading.Lock()
        #: Not counted yet. A deque takes and gives from several threads without a lock.
        self._noted: deque[Use] = deque()
        #: By key, secret, outcome and hour: how often, and when last.
        self._seen: dict[tuple[int, int, Outcome, float], _Seen] = {}
        self._counts: dict[Count, int] = {}
        self._used: dict[Row, datetime] = {}
        self._uncounted = 0
        self._due = 0.0
        self._failed = False

    def record(self, use: Use) -> None:
        """Note one request. Never raises and never asks the database."""
        self._noted.append(use)
        if len(self._noted) >= _NOTED:
            with self._lock:
                self._see()
        if self.counter is not None:
            try:
                self.counter(use)
            except Exception:
                logger.exception("The use of key %s was not counted.", use.key.id)

    def _see(self) -> None:
        """Count what was noted; under the lock, as who takes from the deque must be one."""
        while self._noted:
            key, outcome, moment, _ = self._noted.popleft()
            what = (key.pk, key.secret_pk, outcome, moment.timestamp() // 3600)
            seen = self._seen.get(what)
            if seen is not None:
                seen.number += 1
                if seen.last < moment:
                    seen.last = moment
            elif len(self._seen) < PENDING:
                self._seen[what] = _Seen(1, moment)
            else:
                self._uncounted += 1

    def note_used(self, model: type[models.Model], pk: int, moment: datetime) -> None:
        """Note that a row was used; ``last_used_at`` of ``model`` will say so."""
        with self._lock:
            self._note((model, pk), moment)

    def _note(self, row: Row, moment: datetime) -> None:
        noted = self._used.get(row)
        if noted is None:
            # Of each use the key and its secret.
            if len(self._used) < 2 * PENDING:
                self._used[row] = moment
        elif noted < moment:
            self._used[row] = moment

    def _count(self, what: Count, number: int) -> None:
        if what in self._counts or len(self._counts) < PENDING:
            self._counts[what] = self._counts.get(what, 0) + number
        else:
            self._uncounted += number

    def flush_if_due(self, **signal: Any) -> None:
        """Write what has gathered, if it is time; a receiver of ``request_finished``."""
        # A full memory is no reason to ask a database that has just refused.
        is_full = max(len(self._seen) + len(self._noted), len(self._used)) >= PENDING and not self._failed
        if (self._noted or self._seen or self._counts or self._used) and (is_full or time.monotonic() >= self._due):
            self.flush()
            # Django closed what was due before this, and a thread that ends here must leave no connection open. A test that
            # runs in a transaction has one at this point.
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()

    def flush(self) -> None:
        """Write what has gathered. What the database refuses is tried again the next time; nothing is raised."""
        counts, used = self._take()
        try:
            write_counts(counts)
            write_last_used(used)
            self._failed = False
        except Exception as error:
            # Whatever it is: the request that happens to end now is somebody else's.
            logger.warning(
                "%d uses of keys, and the last use of %d keys and secrets, wait to be written: %s",
                sum(counts.values()),
                len(used),
                type(error).__name__,
            )
            with self._lock:
                self._failed = True
                self._due = time.monotonic() + FLUSH_SECONDS
                for what, number in counts.items():
                    self._count(what, number)
                for row, moment in used.items():
                    self._note(row, moment)

    def _take(self) -> tuple[dict[Count, int], dict[Row, datetime]]:
        """Return what is to be written, which from here on nobody else has."""
        with self._lock:
            self._see()
            for (key, secret, outcome, hour), seen in self._seen.items():
                if self.table:
                    self._count(Count(key, int(hour), outcome.value), seen.number)
                if outcome in _USES:
                    self._note((ApiKey, key), seen.last)
                    self._note((KeySecret, secret), seen.last)
            counts, used, uncounted = self._counts, self._used, self._uncounted
            self._seen, self._counts, self._used, self._uncounted = {}, {}, {}, 0
            self._due = time.monotonic() + FLUSH_SECONDS
        if uncounted and self.table:
            logger.warning("%d uses of keys are not counted: more than %d counts waited.", uncounted, PENDING)
        return counts, used


def count_with(counter: Callable[[Use], object] | None, *, table: bool = False) -> None:
    """Have ``counter`` told of every request with a known key.

    Call it in ``AppConfig.ready``. ``counter`` is called inside the request, by any thread: hand over and return. What it
    raises is logged. When keys were used last is noted as before.

    :param counter: None to have nobody told, and the table count again.
    :param table: whether the table counts too.
    """
    recorder.counter = counter
    recorder.table = table or counter is None


#: This process's.
recorder = Recorder()
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=recorder.forget)
