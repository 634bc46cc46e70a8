"""The answer that shows a root key's secret, with a call that uses it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from portal.models import Issued, PortalConfig, RootKey
from portal.permissions import capabilities_of, may_mint, ordered

from .address import portal_address
from .secret import secret_page

__all__ = ["root_key_secret_page"]


@sensitive_variables("issued")
def root_key_secret_page(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, title: str, issued: Issued[RootKey]
) -> HttpResponse:
    """Answer 200 with the secret and the call; see :func:`secret_page`."""
    root_key = issued.row
    return secret_page(
        model_admin,
        request,
        title,
        issued,
        label=_("Root key"),
        old_secret_ends=root_key.previous_ends_at,
        curl=_curl(request, root_key),
    )


def _curl(request: HttpRequest, root_key: RootKey) -> str:
    """Return a call that this key may make, or an empty text: no portal, no address, no API.

    It reads the secret from the environment, so that copying it writes the secret into no shell history.
    """
    granted = root_key.permissions
    portals = PortalConfig.objects.enabled()
    if not may_mint(granted, ""):
        portals = portals.filter(public_id__in=[part for name in granted for part in name.split(".")[1:2]])
    portal = portals.first()
    if portal is None or not may_mint(granted, portal.public_id):
        return ""
    address = portal_address(portal.slug, request)
    try:
        reverse("portal:createSession")
    except NoReverseMatch:
        address = ""
    if not address:
        return ""
    held = ordered(capabilities_of(granted, portal.keyspace)) or ["keys:read"]
    body = json.dumps({"slug": portal.slug, "externalId": "user_123", "permissions": held[:1]})
    return (
        f"curl -X POST {address.removesuffix(portal.slug + '/')}v2/portal.createSession \\\n"
        '  -H "Authorization: Bearer $ROOT_KEY" -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )
