"""Who is asked "who is this?": a view that asks nobody, the same view guarded by the portal, and by each peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import sesame.utils
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client as TestClient
from django.urls import path
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.models import AuthToken
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.models import AccessToken as OAuth2Token
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.models import APIKey
from rest_framework_api_key.permissions import HasAPIKey
from rest_framework_simplejwt.authentication import JWTAuthentication, JWTStatelessUserAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from portal.api.authentication import PortalSessionAuthentication, RootKeyAuthentication
from portal.contrib.keys.authentication import ApiKeyAuthentication

from .client import Client, Sent, project
from .goals import GOALS
from .made import a_root_key, a_session, a_user, an_api_key
from .plan import Plan

__all__ = ["API_KEY", "BARE", "ROWS", "SESSION_MIDDLEWARE", "Row", "by_knox", "by_session", "rows_of"]

SESSION_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


class Bare(APIView):
    """The least that a view of DRF costs."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        """Answer."""
        return Response({"ok": True})


def guarded(*authentication: type, permissions: Iterable[type] = ()) -> Callable[..., Any]:
    """Return the same view behind these classes."""
    classes = {"authentication_classes": list(authentication), "permission_classes": list(permissions)}
    return type("Guarded", (Bare,), classes).as_view()


def sesame_page(request: HttpRequest) -> HttpResponse:
    """Answer whom the link signs in; sesame has no class for DRF."""
    user = sesame.utils.get_user(request)
    return JsonResponse({"ok": True}, status=200 if user else 403)


def bearer(secret: str, scheme: str = "Bearer") -> Sent:
    """Return a GET with this credential."""
    return Sent(headers={"Authorization": f"{scheme} {secret}"})


def oauth2_token() -> Sent:
    """Return a request with an access token of django-oauth-toolkit."""
    ends = timezone.now() + timedelta(hours=1)
    OAuth2Token.objects.create(user=a_user("oauth2"), token="bench-oauth2", expires=ends, scope="read")
    return bearer("bench-oauth2")


def django_session() -> Sent:
    """Return a request with the cookie of a signed-in user."""
    client = TestClient()
    client.force_login(a_user("session"), "django.contrib.auth.backends.ModelBackend")
    return Sent(headers={"Cookie": f"sessionid={client.cookies['sessionid'].value}"})


def sesame_link() -> Sent:
    """Return a visit of a link with a token."""
    return Sent(f"/measured/?{urlencode(sesame.utils.get_parameters(a_user('sesame')))}")


@dataclass(frozen=True)
class Row:
    """One way to be asked.

    :param credential: makes what the view needs in the database, and returns the request that is let in.
    :param cached: whether the portal remembers credentials.
    """

    name: str
    view: Callable[..., Any]
    credential: Callable[[], Sent]
    middleware: tuple[str, ...] = ()
    cached: bool = False

    @property
    def project(self) -> dict[str, Any]:
        """The settings of a project that has this view only."""
        return project([path("measured/", self.view)], self.middleware, cached=self.cached)

    def client(self) -> Client:
        """Return a client that is let in."""
        return Client(self.project, self.credential())


def by_session(name: str, external_id: str) -> Row:
    """Return the row of a portal session of this end user, by Bearer token."""
    return Row(name, guarded(PortalSessionAuthentication), lambda: bearer(a_session(external_id)))


def by_knox(name: str, tokens: int) -> Row:
    """Return the row of a knox token whose user has so many."""

    def credential() -> Sent:
        user = a_user(name)
        secrets = [AuthToken.objects.create(user)[1] for _ in range(tokens)]
        return bearer(secrets[-1], "Token")

    return Row(name, guarded(KnoxAuthentication), credential)


BARE = Row("bare", Bare.as_view(), Sent)

API_KEY = Row("API key", guarded(ApiKeyAuthentication), lambda: bearer(an_api_key()))

_OURS = (
    by_session("session", "bearer"),
    Row(
        "session, cookie",
        guarded(PortalSessionAuthentication),
        lambda: Sent(headers={"Cookie": f"portal_session={a_session('cookie')}"}),
    ),
    Row("root key", guarded(RootKeyAuthentication), lambda: bearer(a_root_key())),
    API_KEY,
)
ROWS = (
    *_OURS,
    *(replace(row, name=f"{row.name}, cached", cached=True) for row in _OURS),
    Row(
        "DRF token",
        guarded(TokenAuthentication),
        lambda: bearer(Token.objects.create(user=a_user("token")).key, "Token"),
    ),
    by_knox("knox", 1),
    Row(
        "api-key",
        guarded(permissions=[HasAPIKey]),
        lambda: bearer(APIKey.objects.create_key(name="bench")[1], "Api-Key"),
    ),
    Row("JWT", guarded(JWTAuthentication), lambda: bearer(str(AccessToken.for_user(a_user("jwt"))))),
    Row(
        "JWT, stateless",
        guarded(JWTStatelessUserAuthentication),
        lambda: bearer(str(AccessToken.for_user(a_user("stateless")))),
    ),
    Row("Django session", guarded(SessionAuthentication), django_session, SESSION_MIDDLEWARE),
    Row("oauth-toolkit", guarded(OAuth2Authentication), oauth2_token),
    Row("sesame", sesame_page, sesame_link),
)

#: The fastest peers: of those that cannot be revoked, of those for DRF, and of all.
_NEAREST = {"JWT, stateless", "api-key", "sesame"}


def rows_of(plan: Plan, part: str) -> list[Row]:
    """Return the rows that the plan measures in a part; in the short form those that its goals name, and the nearest peers.

    :param part: with the database, as goals name it.
    """
    named = {name for goal in GOALS for measure in goal.measures if measure.part == part for name in measure.rows}
    return [row for row in ROWS if plan.all_rows or row.name in named | _NEAREST]
