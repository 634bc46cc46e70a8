"""What a key may be called, whatever the portal's policy is."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext_noop

from portal.texts import hides

__all__ = ["MAX_NAME", "NO_NAME", "name_problem"]

MAX_NAME = 100
NO_NAME = gettext_noop("Enter a name for the key.")
_BREAKS = "\u2028\u2029"


def name_problem(name: str) -> str:
    """Return why a key may not have this name, trimmed by the caller, as a sentence; empty if it may.

    It is English, and a message id of the app's translations: forms translate it, the API does not.
    """
    # Of marks that show nothing alone, as zero-width spaces are, a name is as good as empty.
    if all(unicodedata.category(char)[0] in "CZM" for char in name):
        return NO_NAME
    if len(name) > MAX_NAME:
        return gettext_noop("This must have at most 100 characters.")
    # What hides in a name would make it look like another (security requirement 35).
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in _BREAKS or hides(char) for char in name):
        return gettext_noop("This must not have line breaks or other control characters.")
    return ""
