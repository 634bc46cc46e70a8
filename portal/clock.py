"""The one clock that decides whether a code, a session or a root key is still good.

Every expiry in this app is judged against :func:`now` and nothing else: not the database's clock, not
``time.time()``. Two clocks that disagree by a second are a way to use an expired credential.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

__all__ = ["from_milliseconds", "now", "to_milliseconds", "using"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


#: What is asked in place of the system; None for the system.
_source: ContextVar[Callable[[], datetime] | None] = ContextVar("portal_clock", default=None)


def now() -> datetime:
    """Return the current moment: aware, UTC, cut to whole milliseconds.

    Whole milliseconds because the contract speaks them (wire-format ``expiresAt``): a stored moment and the number
    that was sent to the client are the same moment.
    """
    source = _source.get()
    if source is None:
        # Every request takes this way. To cut datetime.now() as below takes twice as long.
        return from_milliseconds(time.time_ns() // 1_000_000)
    moment = source()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@contextmanager
def using(source: Callable[[], datetime]) -> Iterator[None]:
    """Within the block, take the time from ``source`` (a callable returning an aware datetime)."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def to_milliseconds(moment: datetime) -> int:
    """Return ``moment`` (aware) as integer Unix milliseconds, exactly: no float is involved."""
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the moment of integer Unix milliseconds, aware and in UTC.

    :raises OverflowError: it is before the year 1 or after the year 9999.
    """
    return _EPOCH + milliseconds * _MILLISECOND
