"""Whether what a key store answered is as the protocol says.

A store is somebody else's code, and may hand on what it got from a service of somebody else's. These functions may raise
anything on what is not: :mod:`portal.keystore.guard` takes that for a no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from .base import IssuedKey, Key, KeyCounts, KeyPage, KeyQuery, OldSecret, Outcome, RateLimit, UsageBucket, UsageSummary

__all__ = ["KEY_ID", "is_issued", "is_key", "is_page", "is_summary", "is_usage"]

#: What the ids of keys look like in every store.
KEY_ID = re.compile(r"[0-9A-Za-z_]{3,255}\Z", re.ASCII)

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _are(kind: type, *values: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple | list)


def _are_texts(*values: Any) -> bool:
    if not _are(str, *values):
        return False
    # Raises for a lone surrogate, with which no answer could be written.
    "".join(values).encode()
    return True


def _are_moments(*values: Any) -> bool:
    if not _are(datetime, *values) or any(value.utcoffset() is None for value in values):
        return False
    # Raises where the offset leads out of the calendar.
    return all(value.astimezone(UTC) == value for value in values)


def _are_numbers(*values: Any) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def _are_metadata(*values: Any) -> bool:
    if not _are(Mapping, *values):
        return False
    # Raises for what is not JSON, or no text.
    return _are_texts(*chain(*values), _JSON.encode([dict(value) for value in values]))


def is_key(value: Any, key_id: str | None = None) -> bool:
    """Say whether ``value`` is a key that can be shown, and the one that was asked for."""
    return _are_keys(value) and (key_id is None or value.id == key_id)


def _are_keys(*values: Any) -> bool:
    if not _are(Key, *values) or not _are(tuple, *(key.permissions for key in values)):
        return False
    moments = {moment for key in values for moment in (key.expires_at, key.updated_at, key.last_used_at)} - {None}
    # Together and not key by key, as the buckets below.
    return (
        _are_texts(*chain(*((key.id, key.start, key.name, key.version, *key.permissions) for key in values)))
        and all(KEY_ID.match(key.id) for key in values)
        and _are(bool, *chain(*((key.enabled, key.locked) for key in values)))
        and _are_moments(*moments, *(key.created_at for key in values))
        and _are_metadata(*(key.metadata for key in values))
        and all(key.rate_limit is None or _is_rate_limit(key.rate_limit) for key in values)
        and all(key.old_secret is None or _is_old_secret(key.old_secret) for key in values)
    )


def _is_rate_limit(value: Any) -> bool:
    return isinstance(value, RateLimit) and _are_numbers(value.limit) and _are(timedelta, value.window)


def _is_old_secret(value: Any) -> bool:
    return (
        isinstance(value, OldSecret)
        and _are_texts(value.start)
        and _are_moments(value.ends_at)
        and _are(bool, value.in_use)
    )


def is_usage(value: Any) -> bool:
    """Say whether ``value`` is buckets of keys; one without an id would pass for all other keys together."""
    return _are_buckets(value) and all(map(KEY_ID.match, {bucket.key_id for bucket in value}))


def _are_buckets(value: Any) -> bool:
    if not _is_list(value) or not _are(UsageBucket, *value):
        return False
    counts = [bucket.counts for bucket in value]
    # Together and not bucket by bucket: a page is answered hundreds, of the same few keys and days.
    return (
        _are_texts(*{bucket.key_id for bucket in value})
        and _are_moments(*{bucket.start for bucket in value})
        and set(chain(*counts)) <= set(Outcome)
        and _are_numbers(*chain(*(one.values() for one in counts)))
    )


def is_summary(value: Any, most: int, since: datetime) -> bool:
    """Say whether ``value`` tells the use of at most so many keys apart, and that of others where there are any."""
    if not isinstance(value, UsageSummary) or not _are_buckets(value.buckets) or not _are_numbers(value.others):
        return False
    told = {bucket.key_id for bucket in value.buckets} - {""}
    together = [bucket for bucket in value.buckets if not bucket.key_id]
    # Numbers of nobody, or somebody without numbers: the parts of a page would differ from its whole.
    used = any(any(bucket.counts.values()) for bucket in together if bucket.start >= since)
    return (
        len(told) <= most
        and all(map(KEY_ID.match, told))
        and used == (value.others > 0)
        and (value.names is None or _are_names(value.names, told))
    )


def _are_names(value: Any, told: set[str]) -> bool:
    return isinstance(value, Mapping) and set(value) <= told and _are_texts(*value.values())


def is_page(value: Any, query: KeyQuery) -> bool:
    """Say whether ``value`` is a page that answers ``query``."""
    return (
        isinstance(value, KeyPage)
        and _is_list(value.keys)
        and len(value.keys) <= query.limit
        and _are_keys(*value.keys)
        and _are_texts(value.next, value.previous)
        and (not query.with_counts or _is_counted(value))
    )


def _is_counted(page: KeyPage) -> bool:
    return (
        isinstance(page.counts, KeyCounts)
        and _are_numbers(*astuple(page.counts))
        and _are_numbers(page.matching, page.before)
    )


def is_issued(value: Any, key_id: str | None = None) -> bool:
    """Say whether ``value`` is a key with a secret, and the one that was asked for."""
    return (
        isinstance(value, IssuedKey) and is_key(value.key, key_id) and _are_texts(value.secret) and value.secret != ""
    )
