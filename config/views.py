"""The pretend product: what a host's own code around the portal looks like."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from portal.errors import PortalError
from portal.shortcuts import redirect_to_portal

SLUG = "my-portal"
#: The signed-in customer. In your product: request.user.
CUSTOMER = {"id": "user_123", "name": "Ada Wong"}
CURL_BODY = '{"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key"]}'


def _curl(request: HttpRequest) -> str:
    return (
        f"curl -X POST {request.build_absolute_uri(reverse('portal:createSession'))} \\\n"
        '  -H "Authorization: Bearer $ROOT_KEY" -H "Content-Type: application/json" \\\n'
        f"  -d '{CURL_BODY}'"
    )


@require_GET
def product(request: HttpRequest) -> HttpResponse:
    """Show the product's settings page, with the button into the portal."""
    return render(request, "northwind/product.html", {"customer": CUSTOMER, "curl": _curl(request)})


@require_POST
def manage_keys(request: HttpRequest) -> HttpResponse:
    """Send the signed-in customer into the portal. This is all the code that a host needs."""
    try:
        return redirect_to_portal(
            request,
            SLUG,
            CUSTOMER["id"],
            ["keys:read", "keys:create", "keys:reroll", "keys:update", "keys:delete", "analytics:read"],
            display_name=CUSTOMER["name"],
        )
    except PortalError as error:
        return render(
            request,
            "northwind/product.html",
            {"customer": CUSTOMER, "curl": _curl(request), "error": error},
            status=503,
        )
