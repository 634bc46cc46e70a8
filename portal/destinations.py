"""Where a session may land: the pages of a portal that a link can lead to, and what each asks of a session.

A session's ``next`` (design decision 4) is a path below its portal's address, such as ``keys/key_123/rotate/``. It is
matched against this list and nothing else, so it can lead to no other origin and to no page that changes something by
being opened. A test holds the list against the pages.
"""

from __future__ import annotations

import re

__all__ = ["RULE", "needs", "normal_form"]

#: What to write, for whoever wrote something else.
RULE = (
    "Use the path of a page below the portal's address, without a slash in front: keys/, keys/new/, keys/<key id>/ or "
    "that followed by edit/, rotate/ or revoke/, usage/, or session/."
)

# A key id as every store has it; explicit ranges, because \w takes letters that no id has.
_KEY = "keys/[0-9A-Za-z_]{3,255}/"

# In this order: "new" would pass for a key's id.
_PAGES = (
    (re.compile(r"session/\Z"), ()),
    (re.compile(r"keys/\Z"), ("keys:read",)),
    (re.compile(r"keys/new/\Z"), ("keys:create",)),
    (re.compile(_KEY + r"\Z"), ("keys:read",)),
    (re.compile(_KEY + r"edit/\Z"), ("keys:read", "keys:update")),
    (re.compile(_KEY + r"rotate/\Z"), ("keys:read", "keys:reroll")),
    (re.compile(_KEY + r"revoke/\Z"), ("keys:read", "keys:delete")),
    (re.compile(r"usage/\Z"), ("analytics:read",)),
)


def normal_form(path: str | None) -> str:
    """Return ``path`` with its last slash, which people leave out; empty where there is none."""
    return f"{path.removesuffix('/')}/" if path else ""


def needs(path: str) -> tuple[str, ...] | None:
    """Return the capabilities that the page at ``path`` needs, or None where no page is.

    :param path: in its :func:`normal_form`.
    """
    for pattern, capabilities in _PAGES:
        if pattern.match(path):
            return capabilities
    return None
