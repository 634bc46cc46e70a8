"""Ask something that may hang, and go on without it.

A cache or a database whose host has stopped answers nothing at all: its client waits for as long as it was configured to,
by default for ever. What is asked here is asked on another thread, and the caller stops waiting in time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from django.db import connections

__all__ = ["Deadline"]

_Answer = TypeVar("_Answer")


class Deadline:
    """Calls with a time limit, ``at_once`` of them at the same time.

    Threads that hang are left behind, and while all of them do, further calls fail at once: nothing piles up. They are
    daemons, so they never keep a process from ending.

    :param seconds: how long a call may take.
    :param at_once: how many threads there are at most.
    """

    def __init__(self, seconds: float, at_once: int) -> None:
        self.seconds = seconds
        self._free = threading.BoundedSemaphore(at_once)

    def call(self, ask: Callable[[], _Answer]) -> _Answer:
        """Return what ``ask`` returns, or raise what it raises.

        :raises TimeoutError: it took too long, or as many earlier calls as there may be still hang.
        """
        latest = time.monotonic() + self.seconds
        if not self._free.acquire(timeout=self.seconds):
            raise TimeoutError("All threads hang.")
        answer: Future[_Answer] = Future()

        def run() -> None:
            try:
                answer.set_result(ask())
            except BaseException as error:
                answer.set_exception(error)
            finally:
                try:
                    # Those of this thread only: nobody else will.
                    connections.close_all()
                finally:
                    self._free.release()

        try:
            threading.Thread(target=run, name="portal-deadline", daemon=True).start()
        except BaseException:
            # The system gives no more threads now; the place must not be lost for ever.
            self._free.release()
            raise
        return answer.result(max(0.0, latest - time.monotonic()))
