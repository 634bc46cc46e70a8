"""How often is too often (design decision 19): per root key, per address that failed, per session, per API key.

Failures are counted once they have happened: a good code or token is looked up first and answered, whatever others behind
the same address do. Calls and forms are counted before they act. Counters are in Django's cache ``default``, one ``incr``
each, which Redis and Memcached do atomically for all processes. A cache that is away, or hangs, costs its callers a fifth of
a second at most; then this process counts by itself for a while.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from django.core.cache import DEFAULT_CACHE_ALIAS, BaseCache, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest

from . import clock
from .conf import portal_settings
from .deadline import Deadline
from .errors import TooManyRequests
from .http import client_address

__all__ = ["WINDOWS", "Hit", "count", "count_failure", "forget_counts", "hit", "parse_rate"]

logger = logging.getLogger("portal.throttle")

#: The windows that a rate can name, in seconds.
WINDOWS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}
_NAMES = {seconds: name for name, seconds in WINDOWS.items()}

#: How long the cache may take, and how long it is left alone after it failed.
CACHE_SECONDS = 0.2
PAUSE_SECONDS = 10.0

#: How many counters of a kind a process keeps by itself; the one that was used longest ago goes first.
LOCAL_COUNTERS = 10_000


@lru_cache(maxsize=64)
def parse_rate(rate: str) -> tuple[int, str]:
    """Return the number and the window's name of a rate such as ``60/min``.

    :raises ValueError: it is not a positive number, a slash and one of :data:`WINDOWS`.
    """
    number, _, window = rate.partition("/")
    if not (number.isascii() and number.isdigit() and int(number) > 0 and window in WINDOWS):
        raise ValueError(f"{rate!r} is not a rate; write it like '60/min', with {', '.join(WINDOWS)}.")
    return int(number), window


@dataclass(frozen=True, slots=True)
class Hit:
    """One act, counted.

    :param number: which of its window it is; the first is 1.
    :param limit: how many a window may have.
    :param seconds: the length of a window.
    :param reset: milliseconds until this window ends, 1 or more.
    """

    number: int
    limit: int
    seconds: int
    reset: int

    @property
    def exceeded(self) -> bool:
        """Whether it is one too many."""
        return self.number > self.limit

    @property
    def remaining(self) -> int:
        """How many more the window may have."""
        return max(0, self.limit - self.number)

    def refusal(self) -> TooManyRequests:
        """Return what refuses one too many; who waits as long as it says is in the next window."""
        return TooManyRequests(self.limit, _NAMES.get(self.seconds, f"{self.seconds}s"), -(-self.reset // 1000))


def hit(scope: str, identity: str, limit: int, seconds: int) -> Hit:
    """Count one act of ``identity`` and return the count; windows begin at whole multiples of their length.

    :param scope: what is counted; scopes do not share counters.
    :param identity: whose act it is; it is hashed before it becomes part of a cache key.
    :param limit: how many there may be in a window of ``seconds``. An act over it is counted too, which changes nothing.
    """
    length = seconds * 1000
    window, passed = divmod(clock.to_milliseconds(clock.now()), length)
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    number = _increment(scope, f"{name}:{window}", seconds)
    return Hit(number, limit, seconds, length - passed)


def count(scope: str, identity: str) -> None:
    """Count one act of ``identity``, as :func:`hit` does.

    :param scope: a key of THROTTLE_RATES.
    :raises TooManyRequests: there have been more in this window than THROTTLE_RATES allows.
    """
    rate = portal_settings.THROTTLE_RATES[scope]
    if rate is None:
        return
    limit, window = parse_rate(rate)
    counted = hit(scope, identity, limit, WINDOWS[window])
    if counted.exceeded:
        raise counted.refusal()


def count_failure(request: HttpRequest) -> None:
    """Count a failed exchange or authentication against the client's address; call it after the failure.

    An IPv6 client has a whole /64 to choose addresses from, so that is what counts.

    :raises TooManyRequests: instead of the refusal, when its address has failed too often.
    """
    address = client_address(request)
    if address is not None and ":" in address:
        parsed = ipaddress.IPv6Address(address)
        address = str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False))
    count("failed", address or "unknown")


class _LocalCounters:
    """Counters of this process, bounded."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def increment(self, key: str) -> int:
        with self._lock:
            self._counts[key] = self._counts.pop(key, 0) + 1
            if len(self._counts) > LOCAL_COUNTERS:
                self._counts.popitem(last=False)
            return self._counts[key]

    def at_least(self, key: str, number: int) -> None:
        with self._lock:
            self._counts[key] = max(self._counts.pop(key, 0), number)
            if len(self._counts) > LOCAL_COUNTERS:
                self._counts.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()


# Of strangers' addresses there are as many as somebody takes the trouble to use. They push out each other's, not those of
# users.
_strangers, _local = _LocalCounters(), _LocalCounters()
_deadline = Deadline(CACHE_SECONDS, at_once=4)
#: By the monotonic clock; until then the cache is left alone.
_cache_away_until = 0.0


def forget_counts() -> None:
    """Forget what this process counted by itself, and that its cache failed; for tests, between two of them."""
    global _cache_away_until
    _local.clear()
    _strangers.clear()
    _cache_away_until = 0.0


def _increment(scope: str, name: str, seconds: int) -> int:
    global _cache_away_until
    key = f"portal:throttle:{scope}:{name}"
    local = _strangers if scope == "failed" else _local
    # Taken on this thread: a backend's connections are this thread's, and a new one a call would connect each time.
    backend = caches[DEFAULT_CACHE_ALIAS]
    # Django's own cache of a process holds 300 entries: strangers could push everybody's out, ours included.
    if not isinstance(backend, LocMemCache | DummyCache) and time.monotonic() >= _cache_away_until:
        try:
            number = _deadline.call(lambda: _increment_in(backend, key, seconds))
            # Should the cache fail next, this process goes on from there and not from zero.
            local.at_least(key, number)
            return number
        except Exception as error:
            # Whatever a cache backend raises: a limiter must not turn its cache's trouble into the user's.
            _cache_away_until = time.monotonic() + PAUSE_SECONDS
            # A thread that hangs keeps this client, which not every library lets two threads use at a time.
            with suppress(AttributeError):
                del caches[DEFAULT_CACHE_ALIAS]
            logger.warning("The cache failed (%s); this process counts by itself", type(error).__name__)
    return local.increment(key)


def _increment_in(backend: BaseCache, key: str, seconds: int) -> int:
    if type(backend).incr is BaseCache.incr:
        # That of DatabaseCache and FileBasedCache stores with the cache's own TIMEOUT and forgets ours.
        number = int(backend.get(key, 0)) + 1
        backend.set(key, number, timeout=2 * seconds)
        return number
    # add() does nothing when the key is there. It lives for two windows, so that a clock a little behind finds it.
    backend.add(key, 0, timeout=2 * seconds)
    return backend.incr(key)
