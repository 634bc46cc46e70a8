"""A small host's own views, protected by the portal's session or root keys."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views import View
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from portal.api.authentication import HasCapability, PortalSessionAuthentication, RootKeyAuthentication
from portal.pages.access import PortalSessionMixin, portal_session_required


class Own(APIView):
    authentication_classes = [PortalSessionAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user), "session": getattr(request.auth, "id", None)})

    post = get


class OwnAfterDjangoSession(Own):
    authentication_classes = [SessionAuthentication, PortalSessionAuthentication]


class OwnStaffOnly(Own):
    permission_classes = [IsAdminUser]


class OnePerDay(UserRateThrottle):
    rate = "1/day"


class OwnThrottled(Own):
    throttle_classes = [OnePerDay]


class OwnWithCapability(Own):
    permission_classes = [HasCapability("keys:read")]


class OwnWithCapabilityOfABackend(OwnWithCapability):
    authentication_classes = [RootKeyAuthentication]


class OwnRefusal(Own):
    def get(self, request: Request) -> Response:
        raise AuthenticationFailed("Not you.")


class OwnRefusalForBackends(OwnRefusal):
    authentication_classes = [RootKeyAuthentication]


class OwnWrite(Own):
    permission_classes = [HasCapability("keys:create")]


class OwnForBackends(APIView):
    authentication_classes = [RootKeyAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user), "name": request.auth.name})


@portal_session_required
def plain(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"external_id": request.portal.external_id})


class PlainClass(PortalSessionMixin, View):
    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse({"external_id": request.portal.external_id})

    post = get
