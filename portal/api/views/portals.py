"""Portals by API: a host's backend makes, reads, changes and deletes them (wire contract section 6)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import Q
from rest_framework.request import Request

from portal import clock
from portal.api.serializers.portals import (
    CreatePortalSerializer,
    DeletePortalSerializer,
    GetPortalSerializer,
    UpdatePortalSerializer,
)
from portal.authenticate import AuthenticatedRootKey
from portal.errors import FieldError, InsufficientPermissions, InvalidInput, PortalNotFound
from portal.http import client_address
from portal.models import PortalConfig
from portal.models.unshared import save_unshared

from .root_key import RootKeyOperation, permitted_portal

__all__ = ["CreatePortal", "DeletePortal", "GetPortal", "UpdatePortal", "portal_item"]

#: The fields that a body can set and the members that hold them.
_MEMBERS = {
    "slug": "slug",
    "display_name": "displayName",
    "keyspace_id": "keyspaceId",
    "enabled": "enabled",
    "logo_url": "logoUrl",
    "primary_color": "primaryColor",
}


def portal_item(portal: PortalConfig) -> dict[str, Any]:
    """Return a portal as the contract writes it; what it does not have is left out, never null."""
    item: dict[str, Any] = {
        "id": portal.public_id,
        "slug": portal.slug,
        "displayName": portal.app_name,
        "keyspaceId": portal.keyspace,
        "enabled": portal.enabled,
        "createdAt": clock.to_milliseconds(portal.created_at),
    }
    branding = {_MEMBERS[name]: value for name in ("logo_url", "primary_color") if (value := getattr(portal, name))}
    if branding:
        item["branding"] = branding
    if portal.updated_at > portal.created_at:
        item["updatedAt"] = clock.to_milliseconds(portal.updated_at)
    return item


class CreatePortal(RootKeyOperation):
    """``portal.createPortal``: makes a portal."""

    name = "portal.createPortal"
    serializer_class = CreatePortalSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {portalId}``."""
        # Of all portals: the permission for one cannot be about a portal that is not there yet.
        if not root_key.may("create_portal"):
            raise InsufficientPermissions("Missing permission: 'portal.*.create_portal'")
        portal = PortalConfig()
        _set(portal, _fields(body))
        save_unshared(portal, actor=root_key.actor(client_address(request._request)))
        return {"data": {"portalId": portal.public_id}}


class GetPortal(RootKeyOperation):
    """``portal.getPortal``: a portal by its id or slug, or by the keys that it shows."""

    name = "portal.getPortal"
    writes = False
    serializer_class = GetPortalSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data`` with the portal; of several that show the same keys, the oldest that the key may read."""
        if len(body) != 1:
            text = "Give exactly one of portal, keyspaceId and appId."
            raise InvalidInput(text, errors=[{"location": "body", "message": text}])
        if "portal" in body:
            return {"data": portal_item(permitted_portal(root_key, body["portal"], "read_portal"))}
        if "keyspaceId" in body:
            rows = PortalConfig.objects.using(router.db_for_write(PortalConfig)).order_by("pk")
            shown = Q(keyspace_id=body["keyspaceId"]) | Q(keyspace_id="", public_id=body["keyspaceId"])
            for portal in rows.filter(shown):
                if root_key.may("read_portal", portal.public_id):
                    return {"data": portal_item(portal)}
        # Nor has any app a portal here.
        raise PortalNotFound


class UpdatePortal(RootKeyOperation):
    """``portal.updatePortal``: changes what the body names, and ends sessions as design decision 14 says."""

    name = "portal.updatePortal"
    serializer_class = UpdatePortalSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data`` with the portal as it is now."""
        fields = _fields(body)
        if not fields:
            text = "Give at least one of " + ", ".join(_MEMBERS.values()) + "."
            raise InvalidInput("The request changes nothing.", errors=[{"location": "body", "message": text}])
        portal = permitted_portal(root_key, body["portal"], "update_portal")
        # The keyspace that it has, as a caller sends it who sends all that it read: no claim on it, and no session ends.
        if fields.get("keyspace_id") == portal.keyspace:
            del fields["keyspace_id"]
        # Else a key for one portal could point it at any keys that no portal shows, and read them there.
        if "keyspace_id" in fields and not root_key.may("update_portal"):
            text = "Pointing a portal at other keys needs a root key with portal.*.update_portal."
            raise InvalidInput(
                "This root key cannot do that.", errors=[{"location": "body.keyspaceId", "message": text}]
            )
        if fields:
            _set(portal, fields)
            save_unshared(portal, actor=root_key.actor(client_address(request._request)), fields=fields)
        return {"data": portal_item(portal)}


class DeletePortal(RootKeyOperation):
    """``portal.deletePortal``: deletes a portal and its sessions; the API keys stay with the key store."""

    name = "portal.deletePortal"
    serializer_class = DeletePortalSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {}``."""
        portal = permitted_portal(root_key, body["portal"], "delete_portal")
        portal.delete(actor=root_key.actor(client_address(request._request)))
        return {"data": {}}


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that the body sets, with their values; an empty text where it says null."""
    return {name: "" if body[member] is None else body[member] for name, member in _MEMBERS.items() if member in body}


def _set(portal: PortalConfig, fields: dict[str, Any]) -> None:
    """Give the portal these values, if the model takes them.

    Only these are judged. That a slug is taken the database says, when it is written: to look first would say it too soon.

    :raises InvalidInput: with a finding at the member of each value that it does not take.
    """
    for name, value in fields.items():
        setattr(portal, name, value)
    others = {field.name for field in portal._meta.fields} - fields.keys()
    try:
        portal.full_clean(exclude=others, validate_unique=False, validate_constraints=False)
    except ValidationError as problems:
        if errors := _findings(problems, fields):
            raise InvalidInput("The portal is not valid.", errors=errors) from None


def _findings(problems: ValidationError, fields: Collection[str]) -> list[FieldError]:
    # The model's own check speaks of all fields: what an operator made of the others is not this caller's to mend.
    return [
        {"location": f"body.{_MEMBERS[name]}", "message": message}
        for name, messages in problems.message_dict.items()
        if name in fields
        for message in messages
    ]
