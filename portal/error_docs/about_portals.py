"""Errors about which portal is meant."""

from __future__ import annotations

from portal.errors import (
    InsufficientPermissions,
    InvalidInput,
    PortalAlreadyExists,
    PortalConfigNotFound,
    PortalNotFound,
)

from .doc import CREATE_PORTAL, MINT_SCOPED_SESSION, ErrorDoc

__all__ = ["DOCS"]

DOCS = (
    ErrorDoc(
        example=PortalNotFound(),
        title="There is no portal with this id or slug for this key",
        call="`portal.createSession` with a `portal` that is no portal's id or slug",
        happened=(
            "No portal has this id or slug, or the root key may not do with it what was asked. The answer is the same for "
            "both, so that a key learns nothing about portals that are not its own."
        ),
        causes=(
            "The id or slug is misspelled, or it is the display name.",
            "The portal was deleted, or exists in another installation: staging and production have databases of their own.",
            "The root key lacks the permission of the operation, such as `portal.*.create_portal_session` or "
            "`portal.*.read_portal`, or holds it for another portal's id only.",
        ),
        fix=(
            "Compare the id with the one that `portal.createPortal` answered, or the slug with the one in the portal's "
            "address. Where it is right, have an operator look at the root key's permissions."
        ),
        curl=MINT_SCOPED_SESSION,
        mistakes=(
            "Creating the portal again under a similar slug. Look at the root key's permissions first.",
            "Sending the slug with capitals. Slugs are lowercase, and ids are compared exactly.",
            "Restricting a root key by slug. `portal.<id>.read_portal` takes the portal's id, `prt_…`.",
        ),
        related=(PortalConfigNotFound, InsufficientPermissions),
    ),
    ErrorDoc(
        example=PortalAlreadyExists(),
        title="Another portal has this slug or this keyspace",
        call="`portal.createPortal` with a slug that a portal has already",
        happened="Nothing was created or changed. `detail` says whether the slug or the keyspace is taken.",
        causes=(
            "A portal has this slug. It is part of an address, so it belongs to one portal.",
            "A portal shows this keyspace. By the API each keyspace has one portal.",
            "The call was sent twice: the first one created the portal.",
        ),
        fix=(
            "Choose another slug or keyspace. To learn which portal shows a keyspace, call `portal.getPortal` with "
            "`keyspaceId`; to change that portal, call `portal.updatePortal`."
        ),
        curl=CREATE_PORTAL,
        mistakes=(
            "Repeating the call until it succeeds. It does not: the first portal stays.",
            "Deleting the portal to make it again. Its sessions end with it, and links into it stop working.",
            "Sharing a keyspace between portals by the API. An operator can do that in the admin.",
        ),
        related=(InvalidInput, PortalNotFound),
    ),
)
