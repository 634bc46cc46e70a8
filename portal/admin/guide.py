"""The integration guide: code for one portal that runs as it stands, given a root key."""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.models import PortalConfig
from portal.origins import origin_of

from .address import NO_ADDRESS, portal_address
from .page import find, object_page

__all__ = ["Example", "examples", "guide"]


class Example(NamedTuple):
    """One block of code; ``name`` is that of its template."""

    name: str
    title: str
    words: str
    code: str


def examples(slug: str, address: str) -> list[Example]:
    """Return the code for the portal ``slug`` at ``address`` (full, ending in a slash)."""
    endpoint = f"{address.removesuffix(f'{slug}/')}v2/portal.createSession"
    body = {"slug": slug, "externalId": "user_123", "permissions": ["keys:read", "keys:create"]}
    # A JSON text is a literal in Python and in TypeScript as well.
    context = {
        "endpoint": json.dumps(endpoint),
        "slug": json.dumps(slug),
        "shell": {"endpoint": shlex.quote(endpoint), "body": shlex.quote(json.dumps(body))},
    }
    return [
        Example(name, title, words, render_to_string(f"portal/admin/guide/{name}.txt", context).rstrip("\n"))
        for name, title, words in (
            ("curl", "curl", _("From any backend: one call, then a redirect.")),
            ("python", "Python", _("With the standard library only, for any framework.")),
            ("typescript", "TypeScript", _("For Node 18 and newer and everything else that has fetch.")),
            ("django", "Django", _("In this very project: a view for a button. It needs no root key.")),
        )
    ]


@require_safe
def guide(request: HttpRequest, model_admin: admin.ModelAdmin[PortalConfig], object_id: str) -> TemplateResponse:
    """Show the guide of a portal to everybody who may look at it; there is no secret in it."""
    config = find(model_admin, request, object_id)
    address = portal_address(config.slug, request)
    return object_page(
        model_admin,
        request,
        config,
        "guide",
        _("Integration guide"),
        examples=examples(config.slug, address) if address else [],
        no_address=NO_ADDRESS,
        portal_origin=origin_of(address) or "",
    )
