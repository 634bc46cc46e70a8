"""How often keys were used, as a store tells it. All times are aware UTC datetimes.

Import these from :mod:`portal.keystore.base`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

__all__ = ["Outcome", "UsageBucket", "UsageSummary"]


class Outcome(StrEnum):
    """What became of a request that presented a key, in the words of ``keys.verifyKey``."""

    VALID = "VALID"
    RATE_LIMITED = "RATE_LIMITED"
    INSUFFICIENT_PERMISSIONS = "INSUFFICIENT_PERMISSIONS"
    FORBIDDEN = "FORBIDDEN"
    DISABLED = "DISABLED"
    EXPIRED = "EXPIRED"
    USAGE_EXCEEDED = "USAGE_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class UsageBucket:
    """How often a key was presented in the time from ``start`` on, by outcome."""

    key_id: str
    start: datetime
    counts: Mapping[Outcome, int] = field(hash=False)


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """The use of all keys of an owner, told key by key for the most used only.

    :param buckets: those of the most used keys; and those of all other keys together, whose ``key_id`` is empty.
    :param others: how many other keys were used in the time by which keys are ranked; 0 exactly if they have no use in
        buckets of that time.
    :param names: what the most used keys are called, by their ids, without those that were revoked; None from a store that
        does not say.
    """

    buckets: Sequence[UsageBucket]
    others: int
    names: Mapping[str, str] | None = field(default=None, hash=False)
