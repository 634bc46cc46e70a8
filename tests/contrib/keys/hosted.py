"""URLs of a host whose own API takes API keys."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.authentication import RootKeyAuthentication
from portal.contrib.keys.authentication import ApiKeyAuthentication, HasKeyPermission
from portal.contrib.keys.credentials import present_api_key
from portal.errors import PortalError


class Maps(APIView):
    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        key = request.auth
        return Response({"user": request.user.pk, "key": getattr(key, "id", None), "name": getattr(key, "name", None)})

    post = get


class MapsToRead(Maps):
    permission_classes = [HasKeyPermission("maps.read")]


class MapsToWrite(Maps):
    permission_classes = [IsAuthenticated, HasKeyPermission("maps.read"), HasKeyPermission("maps.write OR maps.*")]


class MapsDecidedLate(Maps):
    def get_permissions(self) -> list[IsAuthenticated]:
        return [HasKeyPermission("maps.read")()]


class MapsByMethod(Maps):
    permission_classes = [HasKeyPermission("maps.write")]

    def get_permissions(self) -> list[IsAuthenticated]:
        if self.request.method == "GET":
            return [HasKeyPermission("maps.read")()]
        return super().get_permissions()


class MapsOfOneKeyspace(Maps):
    class OneKeyspace(ApiKeyAuthentication):
        keyspace_id = "ks_1"

    authentication_classes = [OneKeyspace]


class MapsForStaff(Maps):
    permission_classes = [IsAdminUser]


class MapsForBackends(Maps):
    authentication_classes = [RootKeyAuthentication]
    permission_classes = [HasKeyPermission("maps.read")]


class MapsRefused(Maps):
    def get(self, request: Request) -> Response:
        raise AuthenticationFailed("Not you.")


class TextRenderer(BaseRenderer):
    media_type = "text/html"
    format = "text"

    def render(self, data: Any, *args: Any) -> bytes:
        return str(data).encode()


class MapsAsText(Maps):
    renderer_classes = [TextRenderer]


@api_view(["GET"])
@authentication_classes([ApiKeyAuthentication])
@permission_classes([HasKeyPermission("maps.read")])
def maps_function(request: Request) -> Response:
    return Response({"user": request.user.pk})


def plain(request: HttpRequest) -> HttpResponse:
    try:
        key = present_api_key(request, permissions="maps.read")
    except PortalError as error:
        return JsonResponse({"code": error.code}, status=error.status, headers=error.headers)
    return JsonResponse({"user": key.external_id})


urlpatterns = [
    path("maps/", Maps.as_view()),
    path("maps/read/", MapsToRead.as_view()),
    path("maps/write/", MapsToWrite.as_view()),
    path("maps/late/", MapsDecidedLate.as_view()),
    path("maps/method/", MapsByMethod.as_view()),
    path("maps/keyspace/", MapsOfOneKeyspace.as_view()),
    path("maps/staff/", MapsForStaff.as_view()),
    path("maps/backends/", MapsForBackends.as_view()),
    path("maps/refused/", MapsRefused.as_view()),
    path("maps/text/", MapsAsText.as_view()),
    path("maps/function/", maps_function),
    path("maps/plain/", plain),
    path("", include("portal.urls")),
]
