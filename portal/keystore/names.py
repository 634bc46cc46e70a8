"""What a key may be called, whatever the portal's policy is."""

from __future__ import annotations

import unicodedata

__all__ = ["MAX_NAME", "name_problem"]

MAX_NAME = 100
_BREAKS = "\u2028\u2029"
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def name_problem(name: str) -> str:
    """Return why a key may not have this name, trimmed by the caller, as a sentence; empty if it may."""
    # Of marks that show nothing alone, as zero-width spaces are, a name is as good as empty.
    if all(unicodedata.category(char)[0] in "CZM" for char in name):
        return "Enter a name for the key."
    if len(name) > MAX_NAME:
        return f"This must have at most {MAX_NAME} characters."
    # Marks that turn what is around them would make one name look like another (security requirement 35).
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in _BREAKS or char in _TURNING for char in name):
        return "This must not have line breaks or other control characters."
    return ""
