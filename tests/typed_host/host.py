"""A host's code as mypy --strict sees it: what is public has types, and a wrong use is an error ("make lint")."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.authentication import HasCapability, PortalSessionAuthentication, RootKeyAuthentication
from portal.authenticate import AuthenticatedSession
from portal.models import PortalConfig, PortalEvent, PortalSession, RootKey
from portal.pages.access import portal_session_required
from portal.shortcuts import create_portal_url, redirect_to_portal
from portal.signals import session_revoked


class Invoices(APIView):
    authentication_classes = [PortalSessionAuthentication, RootKeyAuthentication]
    permission_classes = [HasCapability("keys:read")]

    def get(self, request: Request) -> Response:
        session = request.auth
        assert isinstance(session, AuthenticatedSession)
        ends: datetime = session.expires_at
        return Response({"ends": ends.isoformat(), "may": session.allows("keys:read")})


@portal_session_required
def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def go(request: HttpRequest) -> HttpResponse:
    return redirect_to_portal(request, "my-portal", "user_123", ["keys:read"], display_name="Ada", locale=None)


def heard(sender: type[PortalEvent], event: PortalEvent, **kwargs: Any) -> None:
    print(event.kind, event.detail)


session_revoked.connect(heard)


def verbs(config: PortalConfig) -> tuple[str, int, PortalSession]:
    key: str = RootKey.objects.issue("Backend").secret
    issued = PortalSession.objects.exchange("pst_x")
    ended: int = PortalSession.objects.revoke_for(config, "user_123")
    RootKey.objects.issue("Backend").row.rotate(timedelta(hours=1))
    return key, ended, issued.row


# Each of these is an error, or mypy says that the comment is not needed.
create_portal_url("my-portal", 7, ["keys:read"])  # type: ignore[arg-type]
create_portal_url("my-portal", "user_123", ["keys:read"], capabilities="keys:read")  # type: ignore[call-arg]
redirect_to_portal(HttpRequest(), "my-portal", "user_123", ["keys:read"], ttl=3600)  # type: ignore[arg-type]
PortalSession.objects.exchange(7)  # type: ignore[arg-type]
RootKey.objects.issue("Backend").row.rotate(60)  # type: ignore[arg-type]
