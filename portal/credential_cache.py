"""What this process remembers of credentials that it has just looked up (setting SESSION_CACHE_SECONDS; 0 is off).

Entries are found by the SHA-256 of a secret, never by the secret. An entry lives for some seconds at most, and every
change that may end a credential empties this process's whole map when it commits. Other processes notice when the entry's
seconds are over: that is the price, and why the default is off. Expiry is not remembered but judged at each use.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections, models, router, transaction

from . import tokens
from .conf import portal_settings

__all__ = ["MAX_ENTRIES", "forget", "forget_on_commit", "forget_rows", "remembered"]

#: How many credentials are remembered; the oldest makes room.
MAX_ENTRIES = 10_000

_Found = TypeVar("_Found")

_lock = threading.Lock()
_entries: dict[tuple[str, type[models.Model], bytes], tuple[float, Any]] = {}
#: Raised by each :func:`forget`: what was read before it may be what it was about.
_generation = 0


def remembered(model: type[models.Model], secret: str, load: Callable[[str, bytes], _Found | None]) -> _Found | None:
    """Return what is remembered of a credential, or what ``load`` reads; None is not remembered.

    Within a transaction nothing is: it may see what is rolled back later, or not see what has been ended since.

    :param model: whose rows the credential is among; decides which database it belongs to.
    :param secret: the credential. Callers name it in their ``sensitive_variables``: a wrapper here would cost each request.
    :param load: takes the secret and its hash, and asks that database; what it returns is shared by requests and must not
        change.
    """
    digest = tokens.digest(secret)
    seconds = portal_settings.SESSION_CACHE_SECONDS
    if not seconds:
        return load(secret, digest)
    using = router.db_for_write(model)
    if connections[using].in_atomic_block:
        return load(secret, digest)
    key = (using, model, digest)
    now = time.monotonic()
    entry = _entries.get(key)
    if entry is not None and now < entry[0]:
        found: _Found = entry[1]
        return found
    before = _generation
    value = load(secret, digest)
    if value is not None:
        with _lock:
            # A read that began before a change must not bring back what the change ended.
            if before == _generation:
                _entries.pop(key, None)
                if len(_entries) >= MAX_ENTRIES:
                    del _entries[next(iter(_entries))]
                _entries[key] = (now + seconds, value)
    return value


def forget() -> None:
    """Forget everything."""
    global _generation
    with _lock:
        _generation += 1
        _entries.clear()


def forget_on_commit(using: str) -> None:
    """Forget everything once the transaction on ``using`` commits; at once outside of one."""
    transaction.on_commit(forget, using=using, robust=True)


def forget_rows(instance: models.Model, using: str, created: bool = False, **signal: Any) -> None:
    """Forget everything once a changed or deleted row is committed; a receiver of ``post_save`` and ``post_delete``.

    Not to be connected to the deletion of what is deleted by the thousand: Django then reads each row before.
    """
    if not created:
        forget_on_commit(using)


def _start_anew() -> None:  # pragma: no cover - runs in forked processes only, which are not measured; a test forks
    # At a fork another thread may have held the lock, and that thread is not here.
    global _lock
    _lock = threading.Lock()
    forget()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_start_anew)
