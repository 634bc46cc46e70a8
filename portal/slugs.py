"""The name of a portal in URLs: one rule for the admin, the commands and the API (wire contract, createSession)."""

from __future__ import annotations

import re

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "RESERVED", "RULE", "is_reserved", "is_slug"]

MIN_LENGTH = 3
MAX_LENGTH = 64

#: The contract's own words, answered when a slug passes its pattern and still breaks the rule.
RULE = (
    "slug must be 3-64 characters, lowercase alphanumeric and hyphens, must not start or end with a hyphen, "
    "and must not contain consecutive hyphens"
)

#: Words that a host, or this app, uses as the first segment of a path. A portal of this name would hide behind them.
RESERVED = frozenset(
    {
        "accounts",
        "admin",
        "api",
        "assets",
        "auth",
        "docs",
        "errors",
        "favicon",
        "health",
        "login",
        "logout",
        "media",
        "portal",
        "robots",
        "static",
        "well-known",
    }
)

# \Z and explicit ranges: "$" would let a trailing newline through, \w and \d non-ASCII letters and digits.
_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


def is_slug(value: str) -> bool:
    """Say whether ``value`` follows :data:`RULE`. Reserved words do; see :func:`is_reserved`."""
    return MIN_LENGTH <= len(value) <= MAX_LENGTH and _PATTERN.match(value) is not None


def is_reserved(value: str) -> bool:
    """Say whether ``value`` is a word that no new portal may take."""
    return value in RESERVED
