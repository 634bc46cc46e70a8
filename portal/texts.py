"""What hides in a text that others wrote: characters that no database takes, and such as show nothing themselves."""

from __future__ import annotations

import unicodedata

__all__ = ["hides", "is_storable", "visible"]

# Joiners are part of how Persian, Hindi and emoji are written.
_JOINERS = "\u200c\u200d"


def is_storable(text: str) -> bool:
    """Say whether every database takes ``text``: no NUL, and no half of a surrogate pair, which UTF-8 cannot write."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def hides(char: str) -> bool:
    """Say whether ``char`` shows nothing itself, and may turn or split what is around it (Unicode's category Cf).

    With them one text looks like another (security requirement 35).
    """
    return unicodedata.category(char) == "Cf" and char not in _JOINERS


def visible(text: str) -> str:
    """Return ``text`` with the number of each character that :func:`hides` in its place, such as ``[U+202E]``."""
    return "".join(f"[U+{ord(char):04X}]" if hides(char) else char for char in text)
