"""Who was authenticated: a session, or a root key, as views see them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import permissions
from .errors import Forbidden, InsufficientPermissions
from .models import Actor, PortalEvent, PortalSession

__all__ = ["PREVIEW_TEXT", "AuthenticatedRootKey", "AuthenticatedSession"]

#: What a preview is told that tries to write (design decision 15).
PREVIEW_TEXT = "This is a preview: it can look at everything and change nothing."


@dataclass(frozen=True, slots=True)
class AuthenticatedSession:
    """A live session, as views see it: ``request.auth`` in DRF, ``request.portal`` in plain Django views.

    Times are aware UTC datetimes. ``permissions`` are as given at mint, ``capabilities`` what they mean; check the
    latter, with :meth:`allows`. ``keyspace_id`` is the portal's, as it is and as it was at mint. ``metadata_json`` is a text
    because requests of one session may share this, and what one changes in its metadata must not reach another.
    """

    pk: int
    id: str
    external_id: str
    display_name: str
    permissions: tuple[str, ...]
    capabilities: frozenset[str]
    preview: bool
    keyspace_id: str
    return_url: str
    locale: str
    metadata_json: str
    created_at: datetime
    expires_at: datetime
    portal_pk: int
    portal_id: str
    portal_slug: str
    portal_display_name: str
    portal_allowed_origins: tuple[str, ...]

    @property
    def metadata(self) -> dict[str, Any]:
        """What the session was minted with, for the host's own code: the caller's own copy."""
        found: dict[str, Any] = json.loads(self.metadata_json)
        return found

    @property
    def row(self) -> PortalSession:
        """The session's row with its portal, read from the database at each call."""
        return PortalSession.objects.select_related("config").get(pk=self.pk)

    def allows(self, capability: str) -> bool:
        """Say whether the session was granted ``capability``. A preview must not write even where this is True."""
        return capability in self.capabilities

    def require(self, capability: str) -> None:
        """Refuse unless the session may use ``capability``.

        :raises InsufficientPermissions: it was not granted.
        :raises Forbidden: it writes and the session is a preview.
        """
        if not self.allows(capability):
            raise InsufficientPermissions(f"Missing permission: '{capability}'")
        if self.preview and capability in permissions.WRITES:
            raise Forbidden(PREVIEW_TEXT)

    def actor(self, address: str | None) -> Actor:
        """Return the session's end user as an actor of events."""
        return Actor(PortalEvent.ActorKind.END_USER, self.external_id, address)

    def sign_out(self, address: str | None) -> None:
        """End the session on the server, as its end user at ``address``."""
        PortalSession.objects.filter(pk=self.pk).revoke(
            self.actor(address),
            reason="signed_out",
            portal_id=self.portal_id,
            session_id=self.id,
            external_id=self.external_id,
            metadata=self.metadata,
        )


@dataclass(frozen=True, slots=True)
class AuthenticatedRootKey:
    """A root key that exists and has not expired. Whether it is ``enabled`` is for the caller to refuse, by name."""

    pk: int
    id: str
    name: str
    permissions: tuple[str, ...]
    enabled: bool
    last_used_at: datetime | None

    def may_mint(self, portal_id: str) -> bool:
        """Say whether the key may mint sessions for the portal ``portal_id`` (``prt_…``)."""
        return permissions.may_mint(self.permissions, portal_id)

    def may(self, action: str, portal_id: str = "*") -> bool:
        """Say whether the key may do ``action`` with a portal; see :func:`portal.permissions.may_act`."""
        return permissions.may_act(self.permissions, action, portal_id)

    def actor(self, address: str | None) -> Actor:
        """Return the key as an actor of events."""
        return Actor(PortalEvent.ActorKind.ROOT_KEY, self.id, address)
