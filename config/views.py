"""The pretend product: what a host's own code around the portal looks like."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from portal.errors import PortalError
from portal.shortcuts import redirect_to_portal

SLUG = "my-portal"
#: The signed-in customer. In your product: request.user.
CUSTOMER = {"id": "user_123", "name": "Ada Wong"}
CAPABILITIES = ["keys:read", "keys:create", "keys:reroll", "keys:update", "keys:delete", "analytics:read"]
CURL_BODY = '{"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key"]}'


def _page(request: HttpRequest, **more: Any) -> dict[str, Any]:
    """Return what the product's page shows."""
    create_session = request.build_absolute_uri(reverse("portal:createSession"))
    curl = (
        f"curl -X POST {create_session} \\\n"
        '  -H "Authorization: Bearer $ROOT_KEY" -H "Content-Type: application/json" \\\n'
        f"  -d '{CURL_BODY}'"
    )
    curl_api = f'curl {request.build_absolute_uri(reverse("tiles"))} -H "Authorization: Bearer $API_KEY"'
    return {"customer": CUSTOMER, "curl": curl, "curl_api": curl_api, **more}


@require_GET
def product(request: HttpRequest) -> HttpResponse:
    """Show the product's settings page, with the button into the portal."""
    return render(request, "northwind/product.html", _page(request))


@require_POST
def manage_keys(request: HttpRequest) -> HttpResponse:
    """Send the signed-in customer into the portal. This is all the code that a host needs."""
    try:
        return redirect_to_portal(request, SLUG, CUSTOMER["id"], CAPABILITIES, display_name=CUSTOMER["name"])
    except PortalError as error:
        return render(request, "northwind/product.html", _page(request, error=error), status=503)
