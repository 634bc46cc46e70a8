"""Counts of the table as the usage of the protocol."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from portal.keystore.base import Outcome, Owner, UsageBucket, UsageSummary
from portal.rawsql import among, array, look_up_all

from .models import ApiKey
from .models.api_key import ApiKeyQuerySet
from .models.usage import KeyUsage, KeyUsageQuerySet, hours_within, moment_of

__all__ = ["to_buckets", "to_summary"]

_HOUR = timedelta(hours=1)
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def to_buckets(
    using: str,
    owner: Owner,
    start: datetime,
    end: datetime,
    bucket: timedelta,
    key_ids: Sequence[str] | None = None,
) -> list[UsageBucket]:
    """Return the buckets that begin from ``start`` on and before ``end``; one statement, however many keys there are.

    :param key_ids: of the keys that are meant, where not all of the owner's are.
    """
    hours = bucket // _HOUR
    first, last = hours_within(start, end, hours)
    values: dict[str, Any] = {
        "keyspace": owner.keyspace_id,
        "external": owner.external_id,
        "first": first,
        "last": last,
        "hours": hours,
    }
    meant = ""
    if key_ids is not None:
        listed, parameters = among("key", key_ids)
        meant = f" AND k.public_id IN {listed}"
        values |= parameters
    return _buckets(look_up_all(using, _sums(using, meant), lambda text, zone: json.loads(text), values))


@lru_cache(maxsize=64)
def _sums(using: str, meant: str) -> str:
    """Return what selects the sums in buckets of ``hours``: key id, first hour, outcome and sum; in this order.

    Joined: of a subquery of keys SQLite, with statistics of a small table, read everybody's counts of the time.

    :param meant: a condition on the keys ``k``, beside that they are the owner's.
    """
    bucket = "u.hour - u.hour %% %(hours)s"
    return (
        f"SELECT {array(('k.public_id', bucket, 'u.outcome', 'SUM(u.count)'), using)} "  # noqa: S608 - our own names
        f"FROM {KeyUsage._meta.db_table} u JOIN {ApiKey._meta.db_table} k ON k.id = u.key_id "
        "WHERE k.keyspace_id = %(keyspace)s AND k.external_id = %(external)s "
        f"AND u.hour >= %(first)s AND u.hour < %(last)s{meant} "
        f"GROUP BY k.id, {bucket}, u.outcome ORDER BY {bucket}, k.id"
    )


def to_summary(
    keys: ApiKeyQuerySet,
    rows: KeyUsageQuerySet,
    start: datetime,
    end: datetime,
    bucket: timedelta,
    *,
    most: int,
    since: datetime,
) -> UsageSummary:
    """Return the buckets of the keys used most from ``since`` on, and those of all others together; three statements.

    Counts may be written between any two of them. What is told is a whole all the same: others are counted where they have
    buckets, and only there.

    :param keys: all of one owner's, revoked ones too.
    :param rows: the counts of these keys.
    """
    hours, counts = bucket // _HOUR, KeyUsage.objects.using(keys.db)
    used = keys.order_by().annotate(uses=counts.within(since, end, hours).each())
    found = used.values_list("uses", "public_id", "pk", "name", "revoked_at")
    ranked = sorted((row for row in found if row[0]), key=lambda row: (-int(row[0]), row[1]))
    told, others = [pk for _uses, _key_id, pk, _name, _revoked in ranked[:most]], len(ranked[most:])
    apart = list(counts.within(start, end, hours).filter(key__in=told).sums(hours))
    still = {row[0] for row in apart}
    names = {key_id: name for _uses, key_id, _pk, name, revoked in ranked[:most] if revoked is None and key_id in still}
    rest: Counter[tuple[int, str]] = Counter()
    if others or start < since:
        # Where there were no others, a key that is first used meanwhile must not become one without a number.
        for hour, outcome, count in rows.within(start, end if others else since, hours).exclude(key__in=told).by_hour():
            rest[hour - hour % hours, outcome] += count
    together = [("", first, outcome, count) for (first, outcome), count in rest.items()]
    # Keys, and counts of them, may be deleted meanwhile.
    ranks = any(moment_of(first) >= since for first, _outcome in rest)
    return UsageSummary(_buckets([*apart, *together]), others if ranks else 0, names)


def _buckets(sums: Iterable[tuple[str, int, str, int]]) -> list[UsageBucket]:
    found: dict[tuple[str, int], dict[Outcome, int]] = {}
    for key_id, first, outcome, count in sums:
        found.setdefault((key_id, first), {})[_OUTCOMES[outcome]] = count
    moments = {first: moment_of(first) for _key_id, first in found}
    return [UsageBucket(key_id, moments[first], counts) for (key_id, first), counts in found.items()]
