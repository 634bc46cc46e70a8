"""Usage for a page that must not wait for it: soon, or not at all (ui-spec 2.4).

How often keys were used is a comfort beside the keys themselves. A store whose counts are slow, broken or away costs a page
its numbers, and never the page.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from django.db import connections

from portal.deadline import Deadline
from portal.errors import PortalError
from portal.keystore.actions import SessionKeys
from portal.keystore.usage import Usage, Window
from portal.outage import DATABASE_AWAY

__all__ = ["counted", "soon", "soon_if_ever"]

logger = logging.getLogger("portal.pages")

_Answer = TypeVar("_Answer")

#: Seconds that a page waits, and how many pages do at the same time before others stop trying.
SECONDS = 2.0
_AT_ONCE = 16

_deadline = Deadline(SECONDS, _AT_ONCE)


def counted(keys: SessionKeys) -> bool:
    """Say whether pages about keys show their use: the store counts, and the session may see it."""
    return keys.store.supports_usage and keys.session.allows("analytics:read")


def soon(keys: SessionKeys, window: Window, key_ids: Sequence[str] | None = None) -> Usage | None:
    """Return what :meth:`~portal.keystore.actions.SessionKeys.usage` does, or None where that takes long or fails.

    For sessions that may see usage: whether they may is asked before.
    """
    return soon_if_ever(keys, lambda: keys.usage(window, key_ids))


def soon_if_ever(keys: SessionKeys, ask: Callable[[], _Answer]) -> _Answer | None:
    """Return what ``ask`` returns, which asks ``keys`` about usage, or None where that takes long or fails."""
    try:
        if keys.store.time_limit is None:
            with _interrupted():
                return ask()
        context = copy_context()
        return _deadline.call(lambda: context.run(ask))
    except (PortalError, TimeoutError, RuntimeError, *DATABASE_AWAY) as error:
        # RuntimeError: the system gives no more threads now, so nobody would stop waiting. What a store raises is a
        # PortalError by now.
        logger.warning("A page goes without usage: %s", type(error).__name__)
        return None


@contextmanager
def _interrupted() -> Iterator[None]:
    """Let this thread's databases give up what they are at when the time is over.

    From another thread, because a statement that sets a time limit would be one more for every page.
    """
    lock = threading.Lock()
    databases = [connections[alias] for alias in connections]

    def interrupt() -> None:
        with lock:
            for database in databases:
                raw = database.connection
                # SQLite's driver calls it interrupt, psycopg cancel. Others have the limits of the project's own.
                stop = getattr(raw, "interrupt", None) or getattr(raw, "cancel", None)
                if stop is not None:
                    stop()

    timer = threading.Timer(SECONDS, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # What comes after must not be hit, also when the time is over at this very moment.
        with lock:
            databases.clear()
