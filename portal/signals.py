"""What a host's code can listen to; each signal is sent after the commit of what it tells of.

``signal.connect(receiver)``, with a receiver ``def receiver(sender, event, **kwargs)``: ``sender`` is the class
:class:`~portal.models.PortalEvent` and ``event`` the event, with ``kind``, ``actor_kind``, ``actor_id``, ``address``,
``portal_id``, ``session_id``, ``external_id``, ``detail`` and ``created_at``, and ``metadata``: what the
session that it is about, or whose end user did it, was minted with. Nothing in it is a secret. A receiver that
raises is logged by Django and disturbs nobody: neither other receivers nor the answer that the user gets.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.dispatch import Signal

__all__ = [
    "BY_KIND",
    "key_changed",
    "key_created",
    "key_locked",
    "key_revoked",
    "key_rotated",
    "key_secret_ended",
    "key_unlocked",
    "portal_changed",
    "portal_created",
    "portal_deleted",
    "root_key_changed",
    "root_key_created",
    "root_key_disabled",
    "root_key_rotated",
    "session_created",
    "session_exchanged",
    "session_replayed",
    "session_revoked",
    "session_signed_out",
]

#: A session was minted; its exchange code is not used yet.
session_created = Signal()
#: A code became a session: somebody is in.
session_exchanged = Signal()
#: A used code came back, for the first time: perhaps a stolen link.
session_replayed = Signal()
#: Sessions were ended by somebody else than their end user; ``detail`` has ``reason`` and ``count``.
session_revoked = Signal()
#: An end user signed out.
session_signed_out = Signal()
root_key_created = Signal()
#: A root key was enabled again, or got another name or expiry; ``detail["fields"]`` says which.
root_key_changed = Signal()
root_key_rotated = Signal()
#: A root key was switched off.
root_key_disabled = Signal()
portal_created = Signal()
#: A portal was saved; ``detail["fields"]`` names what changed, where that is known.
portal_changed = Signal()
portal_deleted = Signal()
#: An API key was made; ``detail`` has ``key_id`` and ``name``, here and in the six below.
key_created = Signal()
#: A key got another name, end, permissions or switch; ``detail["fields"]`` says which.
key_changed = Signal()
#: A key got a new secret; ``detail["old_secret_ends"]`` is when the old one ends, in Unix milliseconds.
key_rotated = Signal()
#: An old secret was ended before its grace period was over.
key_secret_ended = Signal()
key_revoked = Signal()
#: An operator locked a key: it is refused, and its owner cannot change it.
key_locked = Signal()
key_unlocked = Signal()

#: The signal of each kind of event.
BY_KIND: Mapping[str, Signal] = {
    "session.created": session_created,
    "session.exchanged": session_exchanged,
    "session.replayed": session_replayed,
    "session.revoked": session_revoked,
    "session.signed_out": session_signed_out,
    "root_key.created": root_key_created,
    "root_key.changed": root_key_changed,
    "root_key.rotated": root_key_rotated,
    "root_key.disabled": root_key_disabled,
    "portal.created": portal_created,
    "portal.changed": portal_changed,
    "portal.deleted": portal_deleted,
    "key.created": key_created,
    "key.changed": key_changed,
    "key.rotated": key_rotated,
    "key.secret_ended": key_secret_ended,
    "key.revoked": key_revoked,
    "key.locked": key_locked,
    "key.unlocked": key_unlocked,
}
