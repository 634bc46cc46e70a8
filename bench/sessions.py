"""Tables with as many sessions as one likes: copies of one that the portal's own verbs made."""

from __future__ import annotations

from portal import tokens
from portal.models import PortalSession

from .made import a_session
from .series import copy_rows, from_text, moment, number, random_bytes

__all__ = ["fill", "session_of"]


def session_of(token: str) -> PortalSession:
    """Return the session of an access token."""
    return PortalSession.objects.get(token_hash=tokens.digest(token))


def fill(copies: int, external_id: str, *, one_owner: bool = False, days: int = 1) -> None:
    """Add so many exchanged sessions, with hashes as random as real ones.

    :param one_owner: all are ``external_id``'s; otherwise each has a user of its own.
    :param days: when they end, from now; negative for sessions that have ended.
    """
    columns = {
        "public_id": from_text(f"ps_{external_id}_", number),
        "code_hash": random_bytes,
        "token_hash": random_bytes,
        "expires_at": moment(days),
    }
    if not one_owner:
        columns["external_id"] = from_text(f"{external_id}_", number)
    copy_rows(session_of(a_session(external_id)), copies, **columns)
