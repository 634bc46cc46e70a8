"""The pretend product's own API, opened by the keys that its customers make in the portal."""

from __future__ import annotations

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.contrib.keys.authentication import ApiKeyAuthentication, HasKeyPermission

#: What the portal of this product shows, and the only keys that its API takes.
KEYSPACE = "northwind"
#: What a customer may choose for a key.
PERMISSIONS = ["tiles.read", "tiles.write", "routes.read"]


class CustomerKey(ApiKeyAuthentication):
    """An API key of this product's customers."""

    keyspace_id = KEYSPACE


class Tiles(APIView):
    """``GET /api/tiles/``: the customer's map tiles."""

    authentication_classes = [CustomerKey]
    permission_classes = [HasKeyPermission("tiles.read")]
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        """Answer who asks, with which key, and a few tiles."""
        tiles = [{"z": 12, "x": 2200 + number, "y": 1343} for number in range(3)]
        return Response({"customer": request.user.pk, "key": request.auth.name, "tiles": tiles})
