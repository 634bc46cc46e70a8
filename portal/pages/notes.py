"""What the next page says about a change that was made: “Changes saved.” after a redirect.

A cookie carries it, signed, for one session and one minute, and the page that shows it takes it away. Not the address: a
link to “was revoked” would say so again tomorrow, and to whoever is sent it. It names a key, never a secret.
"""

from __future__ import annotations

from typing import NamedTuple

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from portal.authenticate import AuthenticatedSession

from .cookies import set_cookie

__all__ = ["Note", "pop_note", "read_note", "set_note"]

_COOKIE = "portal_note"
_AGE = 60
_SALT = "portal.pages.note"

#: Longer names are cut: a store's names may be of any length, a cookie has 4096 bytes.
_MAX_NAME = 100


class Note(NamedTuple):
    """What happened.

    :param what: ``saved``, ``revoked`` or ``old_ended``; the element ``done`` has the words.
    :param name: the key's name; where the page shows the key itself, it may be empty.
    """

    what: str
    name: str = ""


def set_note(response: HttpResponseBase, request: HttpRequest, session: AuthenticatedSession, note: Note) -> None:
    """Have the next page of ``session`` say ``note``; ``response`` is the redirect that leads there."""
    what, name = note
    value = signing.dumps([session.id, what, name[:_MAX_NAME]], salt=_SALT, compress=True)
    set_cookie(response, request, _COOKIE, value, _AGE)


def read_note(request: HttpRequest, session: AuthenticatedSession) -> Note | None:
    """Return what this page shall say, or None. The page then calls :func:`pop_note`."""
    try:
        whose, what, name = signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_AGE)
    except signing.BadSignature:
        return None
    return Note(what, name) if whose == session.id else None


def pop_note(response: HttpResponseBase, request: HttpRequest) -> None:
    """Say it once: take the note out of the browser."""
    set_cookie(response, request, _COOKIE, "", 0)
