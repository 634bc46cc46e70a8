"""Who acts in the admin, as the audit trail has it."""

from __future__ import annotations

from django.http import HttpRequest

from portal.http import client_address
from portal.models import Actor, PortalEvent

__all__ = ["REVOKED", "operator"]

#: Why a session ended that an operator ended, as the audit trail has it.
REVOKED = "revoked_by_operator"

_ID_LENGTH = 256


def operator(request: HttpRequest) -> Actor:
    """Return the signed-in operator as an actor of events: user name and client address."""
    name = request.user.get_username()
    # A host's user model may allow longer names than the audit trail's column.
    return Actor(PortalEvent.ActorKind.OPERATOR, name[:_ID_LENGTH], client_address(request))
