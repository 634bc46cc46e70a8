"""``keys.verifyKey``, for gateways and APIs that are not written in Python."""

from __future__ import annotations

from typing import Any, cast

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request

from portal import clock
from portal.api.authentication import RootKeyAuthentication
from portal.api.views.base import Operation
from portal.authenticate import AuthenticatedRootKey
from portal.errors import InsufficientPermissions
from portal.keystore.base import Outcome
from portal.models import RootKey
from portal.models.root_key import LAST_USED_INTERVAL
from portal.permissions import verifiable_keyspaces
from portal.throttle import Hit

from .recorder import recorder
from .serializers import VerifyKeySerializer
from .verify import Verification, VerifiedKey, verify

__all__ = ["VerifyKey"]


class VerifyKey(Operation):
    """``keys.verifyKey``: a root key asks whether an API key is good; the answer is 200 whether it is or not."""

    name = "keys.verifyKey"
    cors = False
    authentication_classes = [RootKeyAuthentication]
    serializer_class = VerifyKeySerializer

    @sensitive_variables("body")
    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {valid, code, …}``; members without a value are left out."""
        root_key = cast(AuthenticatedRootKey, request.auth)
        keyspaces = verifiable_keyspaces(root_key.permissions)
        if not keyspaces:
            raise InsufficientPermissions("Missing permission: 'api.*.verify_key'")
        now = clock.now()
        if root_key.last_used_at is None or root_key.last_used_at < now - LAST_USED_INTERVAL:
            recorder.note_used(RootKey, root_key.pk, now)
        verification = verify(
            body["key"],
            permissions=body.get("permissions", ()),
            # A key elsewhere is as unknown to this root key as one that does not exist.
            keyspace_id=None if "*" in keyspaces else keyspaces,
            tags=body.get("tags", ()),
        )
        return {"data": _data(verification)}


def _data(verification: Verification) -> dict[str, Any]:
    data: dict[str, Any] = {"valid": verification.valid, "code": verification.outcome.value}
    key = verification.key
    if key is None:
        return data
    data |= {
        "keyId": key.id,
        "name": key.name,
        "enabled": verification.outcome not in {Outcome.FORBIDDEN, Outcome.DISABLED},
        # The host's id is the only one that its users have.
        "identity": {"id": key.external_id, "externalId": key.external_id},
    }
    if key.expires_at is not None:
        data["expires"] = clock.to_milliseconds(key.expires_at)
    if key.permissions:
        data["permissions"] = list(key.permissions)
    if key.metadata:
        data["meta"] = key.metadata
    if verification.rate_limit is not None:
        data["ratelimits"] = [_rate_limit(key, verification.rate_limit)]
    return data


def _rate_limit(key: VerifiedKey, hit: Hit) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": "requests",
        "limit": hit.limit,
        "duration": hit.seconds * 1000,
        "reset": hit.reset,
        "remaining": hit.remaining,
        "exceeded": hit.exceeded,
        "autoApply": True,
    }
