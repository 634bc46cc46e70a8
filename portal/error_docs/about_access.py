"""Errors about what a known caller may do."""

from __future__ import annotations

from portal.errors import (
    Forbidden,
    InsufficientPermissions,
    InvalidInput,
    KeyDisabled,
    PortalConfigNotFound,
    PortalSessionNotFound,
    UnknownOperation,
)

from .doc import MINT_SESSION, ErrorDoc

__all__ = ["DOCS"]

DOCS = (
    ErrorDoc(
        example=Forbidden(),
        title="This is switched off for the caller",
        call="`portal.createSession` for a portal that is disabled",
        happened="The caller is known, and what it asks for is switched off. `detail` says which of the three causes it is.",
        causes=(
            "The portal is disabled. Its sessions and codes have ended, and no new ones are minted.",
            "The session is a preview. It can look at everything and change nothing.",
            "A page on another site sent the browser's cookie along. A write by cookie has to be JSON and come from the "
            "portal's own pages or from one of its allowed origins.",
        ),
        fix=(
            "For a disabled portal, ask its operator to enable it; this command succeeds once that is done. For a preview, "
            "mint a session without `preview`. For a page on another origin, have the operator add that origin to the "
            "portal's allowed origins, or send the access token as a Bearer token."
        ),
        curl=MINT_SESSION,
        mistakes=(
            "Using an old link after the portal was enabled again. Disabling ended it for good; mint a new one.",
            "Asking for more permissions. The answer does not depend on them.",
            "Listing an origin with a path or without its port. It is scheme, host and port: `https://app.example.com`.",
        ),
        related=(InsufficientPermissions, KeyDisabled, PortalSessionNotFound),
    ),
    ErrorDoc(
        example=InsufficientPermissions("Missing permission: 'keys:delete'"),
        title="A permission is missing",
        call="`portal.createSession` that asks for `keys:delete`, with a root key that does not hold it",
        happened="The caller is known and lacks the permission that `detail` names. The whole call was refused.",
        causes=(
            "A root key asked for a session with a capability that it does not hold itself. Nobody hands out more than "
            "they have.",
            "The root key holds the capability for one keyspace (`api.ks_1.delete_key`), and the portal shows another.",
            "The session was minted without the capability that the operation needs: `keys:read` for `portal.listKeys`.",
        ),
        fix=(
            "Ask only for what the user needs and your root key holds. Where the key should hold more, make one with "
            "`python manage.py portal_create_root_key NAME`, which may mint any session; a session's permissions are fixed "
            "when it is minted, so mint a new one."
        ),
        curl=MINT_SESSION,
        mistakes=(
            "Expecting a smaller session instead of an error. Users would meet a portal with parts missing.",
            "Asking by the older name. `api.*.delete_key` means `keys:delete` and needs the same grant.",
            "Giving every backend a key with `*`. It grants all that later releases add, too.",
        ),
        related=(Forbidden, PortalConfigNotFound, InvalidInput),
    ),
    ErrorDoc(
        example=PortalConfigNotFound(),
        title="There is no such portal for this key",
        call="`portal.createSession` with a slug that no portal has",
        happened=(
            "No portal has this slug, or the root key may not mint sessions for it. The answer is the same for both, so "
            "that a key learns nothing about portals that are not its own."
        ),
        causes=(
            "The slug is misspelled, or it is the display name or the id (`prt_…`) instead of the slug.",
            "The portal exists in another installation: staging and production have databases of their own.",
            "The root key lacks `portal.*.create_portal_session`, or holds it for another portal's id only.",
        ),
        fix=(
            "Compare the slug with the one in the portal's address. Where it is right, have an operator look at the root "
            "key's permissions. A new portal is made with `python manage.py portal_create_portal SLUG`."
        ),
        curl=MINT_SESSION,
        mistakes=(
            "Creating the portal again under a similar slug. Look at the root key's permissions first.",
            "Sending the slug with capitals. Slugs are lowercase.",
            "Restricting a root key by slug. `portal.<id>.create_portal_session` takes the portal's id, `prt_…`.",
        ),
        related=(InsufficientPermissions, Forbidden, UnknownOperation),
    ),
)
