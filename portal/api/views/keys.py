"""The end user's API keys: listKeys and rerollKey of the contract, createKey, updateKey and deleteKey of ours."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, cast

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request

from portal import clock, tokens
from portal.api.authentication import PortalSessionAuthentication
from portal.api.serializers.keys import (
    CreateKeySerializer,
    DeleteKeySerializer,
    ListKeysSerializer,
    RerollKeySerializer,
    UpdateKeySerializer,
)
from portal.api.session_portal import portal_of
from portal.authenticate import AuthenticatedSession
from portal.errors import InvalidInput
from portal.http import client_address
from portal.keystore.actions import SessionKeys
from portal.keystore.base import Key, KeyChanges, KeyQuery
from portal.throttle import count

from .base import Operation

__all__ = ["CreateKey", "DeleteKey", "ListKeys", "RerollKey", "UpdateKey", "key_item"]

_MILLISECOND = timedelta(milliseconds=1)
# Printable ASCII: it comes in a header.
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


def key_item(key: Key) -> dict[str, Any]:
    """Return a key as the contract writes it (section 5); what it does not have is left out, never null."""
    item: dict[str, Any] = {
        "keyId": key.id,
        "start": key.start,
        "enabled": key.enabled and not key.locked,
        "name": key.name,
        "createdAt": clock.to_milliseconds(key.created_at),
    }
    for member, moment in (
        ("updatedAt", key.updated_at),
        ("lastUsedAt", key.last_used_at),
        ("expires", key.expires_at),
    ):
        if moment is not None:
            item[member] = clock.to_milliseconds(moment)
    if key.permissions:
        item["permissions"] = list(key.permissions)
    if key.metadata:
        item["meta"] = dict(key.metadata)
    if key.rate_limit is not None:
        item["ratelimits"] = [
            {
                "id": key.id,
                "name": "requests",
                "limit": key.rate_limit.limit,
                "duration": key.rate_limit.window // _MILLISECOND,
                "autoApply": True,
            }
        ]
    return item


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else clock.from_milliseconds(milliseconds)


def _request_id(request: Request) -> str:
    """Return the caller's ``Idempotency-Key``, or a value of our own that no other request has.

    :raises InvalidInput: the header is not what it must be.
    """
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return tokens.nonce()
    if not _IDEMPOTENCY_KEY.match(given):
        text = "Use 1 to 255 printable ASCII characters without spaces, for example a random UUID."
        raise InvalidInput(
            "The Idempotency-Key is not valid.", errors=[{"location": "header.Idempotency-Key", "message": text}]
        )
    return given


class KeyOperation(Operation):
    """An operation on the keys of the session's owner."""

    authentication_classes = [PortalSessionAuthentication]
    #: Whether it writes, and so counts like a form of the pages.
    writes = True

    def keys(self, request: Request) -> SessionKeys:
        """Return the owner's keys; the owner is the session's and no member of a body changes that."""
        session = cast(AuthenticatedSession, request.auth)
        if self.writes:
            count("page_write", session.id)
        return SessionKeys(session, portal_of(session), address=client_address(request._request))


class ListKeys(KeyOperation):
    """``portal.listKeys``: the end user's API keys, newest first."""

    name = "portal.listKeys"
    writes = False
    serializer_class = ListKeysSerializer

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data [key…]`` and ``pagination``."""
        page = self.keys(request).list(KeyQuery(limit=body["limit"], cursor=body["cursor"]))
        pagination: dict[str, Any] = {"hasMore": bool(page.next)}
        if page.next:
            pagination["cursor"] = page.next
        return {"data": [key_item(key) for key in page.keys], "pagination": pagination}


class RerollKey(KeyOperation):
    """``portal.rerollKey``: a new secret for a key; the old one stays for ``expiration`` milliseconds."""

    name = "portal.rerollKey"
    serializer_class = RerollKeySerializer

    @sensitive_variables("secret")
    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {keyId, key}``."""
        grace = None if body["expiration"] is None else body["expiration"] * _MILLISECOND
        key, secret = self.keys(request).reroll(body["keyId"], grace=grace, request_id=_request_id(request))
        return {"data": {"keyId": key.id, "key": secret}}


class CreateKey(KeyOperation):
    """``portal.createKey`` (ours): makes a key."""

    name = "portal.createKey"
    serializer_class = CreateKeySerializer

    @sensitive_variables("secret")
    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {keyId, key}``."""
        keys = self.keys(request)
        permissions = body.get("permissions")
        key, secret = keys.create(
            body["name"],
            expires_at=_moment(body["expires"]) if "expires" in body else keys.default_expiry(),
            permissions=None if permissions is None else tuple(dict.fromkeys(permissions)),
            request_id=_request_id(request),
        )
        return {"data": {"keyId": key.id, "key": secret}}


class UpdateKey(KeyOperation):
    """``portal.updateKey`` (ours): another name, end, switch or permissions."""

    name = "portal.updateKey"
    serializer_class = UpdateKeySerializer

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data`` with the key as it is now."""
        changes: KeyChanges = {}
        if "name" in body:
            changes["name"] = body["name"]
        if "expires" in body:
            changes["expires_at"] = _moment(body["expires"])
        if "enabled" in body:
            changes["enabled"] = body["enabled"]
        if "permissions" in body:
            changes["permissions"] = tuple(dict.fromkeys(body["permissions"]))
        if not changes:
            text = "Give at least one of name, expires, enabled and permissions."
            raise InvalidInput("The request changes nothing.", errors=[{"location": "body", "message": text}])
        return {"data": key_item(self.keys(request).update(body["keyId"], changes))}


class DeleteKey(KeyOperation):
    """``portal.deleteKey`` (ours): refuses a key for ever."""

    name = "portal.deleteKey"
    serializer_class = DeleteKeySerializer

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {}``."""
        self.keys(request).revoke(body["keyId"])
        return {"data": {}}
