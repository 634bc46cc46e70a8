"""What hides in a text that others wrote: characters that no database takes, and such as show nothing themselves."""

from __future__ import annotations

import unicodedata

__all__ = ["hides", "is_storable", "visible"]

# Joiners are part of how Persian, Hindi and emoji are written.
_JOINERS = "\u200c\u200d"
# Letters and a symbol that are blank: fillers of Hangul, and Braille without a dot.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"


def is_storable(text: str) -> bool:
    """Say whether every database takes ``text``: no NUL, and no half of a surrogate pair, which UTF-8 cannot write."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def hides(char: str) -> bool:
    """Say whether ``char`` shows nothing itself: it turns or splits what is around it (Unicode's category Cf), or is blank.

    With them one text looks like another (security requirement 35).
    """
    return char in _BLANK or (unicodedata.category(char) == "Cf" and char not in _JOINERS)


def visible(text: str) -> str:
    """Return ``text`` with the number of each character that :func:`hides` in its place, such as ``[U+202E]``."""
    return "".join(f"[U+{ord(char):04X}]" if hides(char) else char for char in text)
