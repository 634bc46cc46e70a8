"""What of a portal a mint needs, and what it means. A model instance would cost as much as the look-up itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal import permissions

__all__ = ["PortalFacts", "PortalRules"]


class PortalRules:
    """What a portal's fields mean to a session."""

    __slots__ = ()

    public_id: Any
    keyspace_id: Any
    extra_capabilities: Any

    @property
    def keyspace(self) -> str:
        """Which keys the portal shows: its keyspace id, or its own id, so that no two portals share by omission."""
        found: str = self.keyspace_id or self.public_id
        return found

    def capabilities_of(self, granted: Iterable[str]) -> frozenset[str]:
        """Return what a session of this portal may do that is minted with the permissions ``granted``."""
        found = permissions.capabilities_of(granted, self.keyspace)
        return found | frozenset(self.extra_capabilities) if "keys:read" in found else found


@dataclass(frozen=True, slots=True)
class PortalFacts(PortalRules):
    """A portal as it was read a moment ago. Requests share these, so nothing in them can be changed.

    :param pk: the primary key.
    """

    pk: int
    public_id: str
    slug: str
    enabled: bool
    keyspace_id: str
    return_origins: tuple[str, ...]
    extra_capabilities: tuple[str, ...]
