"""The statements of a list of keys: fixed texts, one for each kind of question (design decision 20).

Values are parameters, by name; only names of our own models and texts of this module are put together. ``k`` is a key.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.db import connections

from portal.keystore.base import KeyFilter
from portal.rawsql import array, values

from .models import ApiKey, KeySecret
from .rows import KEY_FIELDS

__all__ = ["COUNTED", "beyond", "filtered", "like_values", "numbers", "page", "searched"]

#: What keys are sorted by. ``last`` is :data:`portal.keystore.listing.LAST`.
_SORTS = {"created": "k.created_at", "name": "LOWER(k.name)", "expires": "COALESCE(k.expires_at, %(last)s)"}

_ON = "NOT k.locked AND k.enabled"
_ACTIVE = f"{_ON} AND (k.expires_at IS NULL OR k.expires_at > %(now)s)"
# First what most keys are not, so that the others are looked at no further: they are all counted.
_FILTERS = {
    KeyFilter.ACTIVE: _ACTIVE,
    KeyFilter.DISABLED: "(k.locked OR NOT k.enabled)",
    KeyFilter.EXPIRED: f"k.expires_at <= %(now)s AND {_ON}",
    KeyFilter.EXPIRING: f"k.expires_at <= %(soon)s AND k.expires_at > %(now)s AND {_ON}",
    KeyFilter.OLD_IN_USE: (
        f"k.rotated_at IS NOT NULL AND {_ACTIVE} AND EXISTS (SELECT 1 FROM {KeySecret._meta.db_table} s "  # noqa: S608
        "WHERE s.key_id = k.id AND s.ends_at > %(now)s AND s.last_used_at >= k.rotated_at)"
    ),
}

#: The counts of :func:`numbers`, in their order, after that of all keys; active ones are the rest.
COUNTED = tuple(kind for kind in KeyFilter if kind is not KeyFilter.ACTIVE)

_OWNED = (
    f"FROM {ApiKey._meta.db_table} k WHERE k.revoked_at IS NULL "
    "AND k.keyspace_id = %(keyspace)s AND k.external_id = %(external)s"
)


def filtered(wanted: KeyFilter | None) -> str:
    """Return the condition of a filter at ``now``, with ``soon`` for what expires soon; empty without one."""
    return _FILTERS[wanted] if wanted else ""


@lru_cache(maxsize=8)
def searched(using: str, holds: str) -> str:
    """Return the condition that a name holds ``part`` or that a secret begins with ``start``.

    :param holds: the look-up of :func:`like_values`.
    """
    connection = connections[using]

    def like(kind: str, value: str, name: str) -> str:
        # In Django's words for these look-ups, which are each database's own.
        operator: str = connection.operators[kind] % f"%({name})s"  # type: ignore[attr-defined]
        return f"{connection.ops.lookup_cast(kind) % value} {operator}"

    return f"({like(holds, 'k.name', 'part')} OR {like('istartswith', 'k.start', 'start')})"


def like_values(using: str, text: str) -> tuple[str, str, str]:
    """Return the look-up of :func:`searched`, its ``part`` and its ``start``."""
    connection = connections[using]
    escaped = connection.ops.prep_for_like_query(text)
    if connection.vendor == "sqlite" and not text.isascii():
        # To its LIKE only letters of ASCII are alike. The expressions that Django lends it are Python's, and slower.
        return "iregex", re.escape(text), f"{escaped}%"
    return "icontains", f"%{escaped}%", f"{escaped}%"


def beyond(sort: str, place: str, *, greater: bool) -> str:
    """Return the condition that a key comes after a place in ascending order, or before it.

    :param place: the name of its value; with ``_id`` after it, that of its key.
    """
    value, sign = _SORTS[sort], ">" if greater else "<"
    # The first condition alone bounds an index; without it, a page would read all pages before it.
    return f"{value} {sign}= %({place})s AND ({value} {sign} %({place})s OR k.id {sign} %({place}_id)s)"


@lru_cache(maxsize=128)
def page(using: str, sort: str, conditions: tuple[str, ...], *, descending: bool) -> str:
    """Return what selects a :class:`~portal.contrib.keys.rows.KeyRow` of each key, ``limit`` at most."""
    order = "DESC" if descending else "ASC"
    selected = array([*values(ApiKey, KEY_FIELDS, "k", using), _SORTS["name"]], using)
    wanted = "".join(f" AND {condition}" for condition in conditions)
    return f"SELECT {selected} {_OWNED}{wanted} ORDER BY {_SORTS[sort]} {order}, k.id {order} LIMIT %(limit)s"


@lru_cache(maxsize=128)
def numbers(using: str, *others: str) -> str:
    """Return what counts all keys, then those of each of :data:`COUNTED`, then those of each of these conditions."""
    counts = [f"COUNT(*) FILTER (WHERE {one})" for one in (*map(filtered, COUNTED), *others)]
    return f"SELECT {array(['COUNT(*)', *counts], using)} {_OWNED}"
