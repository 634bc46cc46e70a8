"""What the operations of a host's backend share: who calls, how often, on which portal, and that the key was used."""

from __future__ import annotations

import logging
from typing import Any, ClassVar, cast

from django.db import router
from rest_framework.request import Request

from portal.api.authentication import RootKeyAuthentication
from portal.authenticate import AuthenticatedRootKey
from portal.errors import PortalNotFound
from portal.models import PortalConfig, RootKey
from portal.outage import DATABASE_AWAY
from portal.throttle import count

from .base import Operation

__all__ = ["RootKeyOperation", "permitted_portal"]

logger = logging.getLogger("portal.api")


class RootKeyOperation(Operation):
    """An operation that takes a root key. No page in a browser holds one, so no other origin may call it."""

    cors = False
    authentication_classes = [RootKeyAuthentication]
    #: Whether it writes, and so counts as minting a session does (design decision 19).
    writes: ClassVar[bool] = True

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Count the call, run :meth:`act` and note that the key was used."""
        root_key = cast(AuthenticatedRootKey, request.auth)
        if self.writes:
            # Calls, not what they change: a stolen key that tries one slug after another is counted too.
            count("create_session", root_key.id)
        answer = self.act(request, root_key, body)
        # After the commit: inside a mint's transaction it would deadlock with another mint (design section 2, tried).
        try:
            RootKey.objects.touch(root_key.pk, root_key.last_used_at)
        except DATABASE_AWAY:
            # It is done; the caller must get its answer whether or not this is noted.
            logger.warning("The last use of root key %s could not be written", root_key.id, exc_info=True)
        return answer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Do the operation's work as :meth:`Operation.handle` does, which authorises first."""
        raise NotImplementedError


def permitted_portal(root_key: AuthenticatedRootKey, name: str, action: str) -> PortalConfig:
    """Return the portal whose id or slug is ``name``, if the key may do ``action`` with it.

    Read where writes go: a caller that has just made a portal must find it.

    :param action: one of :data:`portal.permissions.PORTAL_ACTIONS`.
    :raises PortalNotFound: it may not, or there is none; the two are one answer (security requirement 44).
    """
    found = PortalConfig.objects.using(router.db_for_write(PortalConfig)).named(name).first()
    if found is None or not root_key.may(action, found.public_id):
        raise PortalNotFound
    return found
