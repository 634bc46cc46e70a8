"""Minting, exchanging and verifying, as whole requests: each beside a DRF POST that inserts one row, and the peers'."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import sesame.utils
from django.db import connections
from django.urls import include, path
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.models import AuthToken
from knox.views import LoginView as KnoxLogin
from oauth2_provider.models import Application, Grant
from oauth2_provider.views import TokenView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenRefreshView
from sesame.views import LoginView as SesameLogin

from .client import Client, Sent, project
from .databases import Router
from .made import SLUG, a_code, a_portal, a_root_key, a_user, an_api_key
from .measure import compare, count_queries
from .models import Minted
from .plan import Plan
from .rows import SESSION_MIDDLEWARE

__all__ = ["measure"]

PORTAL = [path("", include("portal.urls"))]
REDIRECT = "https://app.example.com/"


class BarePost(APIView):
    """Reads a JSON body and answers."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        """Answer."""
        return Response({"id": request.data["externalId"]})


class InsertOne(BarePost):
    """The least that minting costs: one row with the hash of a secret, by SQL."""

    statement = f"INSERT INTO {Minted._meta.db_table} (secret_hash, external_id, expires_at) VALUES (%s, %s, %s)"

    def post(self, request: Request) -> Response:
        """Insert the row and answer."""
        with connections[Router.using].cursor() as cursor:
            ends = timezone.now() + timedelta(minutes=15)
            cursor.execute(self.statement, [secrets.token_bytes(32), request.data["externalId"], ends])
        return super().post(request)


class KnoxEndpoint(KnoxLogin):
    """Knox's login for who has a token of it: with a password the hasher would be most of it."""

    authentication_classes = [KnoxAuthentication]


@dataclass(frozen=True)
class Endpoint:
    """An operation.

    :param sent: makes what it needs in the database, for so many calls, and returns the request.
    :param reset: undoes what makes the operation slower from call to call, where that is not what a user would see.
    """

    name: str
    urlpatterns: Iterable[Any]
    sent: Callable[[int], Sent]
    middleware: tuple[str, ...] = ()
    reset: Callable[[], Any] | None = None

    def client(self, calls: int) -> Client:
        """Return a client that can send so many requests."""
        return Client(project(self.urlpatterns, self.middleware), self.sent(calls))


def _body(**members: Any) -> Callable[[], bytes]:
    body = json.dumps(members).encode()
    return lambda: body


def _one_each(bodies: Iterable[bytes]) -> Callable[[], bytes]:
    """Return what gives each of them once; all are made before anything is timed."""
    return iter(list(bodies)).__next__


def _insert(calls: int) -> Sent:
    return Sent(bodies=_body(externalId="user_1"))


def _create(calls: int) -> Sent:
    a_portal()
    return Sent(
        "/v2/portal.createSession",
        {"Authorization": f"Bearer {a_root_key()}"},
        _body(slug=SLUG, externalId="user_1", permissions=["keys:read", "keys:create"]),
    )


def _exchange(calls: int) -> Sent:
    portal, users = a_portal(), count()
    codes = (a_code(f"user_{next(users)}", portal).secret for _ in range(calls))
    return Sent(
        "/v2/portal.exchangeSession", bodies=_one_each(json.dumps({"sessionId": code}).encode() for code in codes)
    )


def _verify(calls: int) -> Sent:
    key = an_api_key()
    return Sent("/v2/keys.verifyKey", {"Authorization": f"Bearer {a_root_key()}"}, _body(key=key))


def _knox(calls: int) -> Sent:
    return Sent(headers={"Authorization": f"Token {AuthToken.objects.create(a_user('knox login'))[1]}"}, bodies=_body())


def _knox_reset() -> None:
    # Its cost grows with a user's tokens, which the in-process part shows. Here the user has few.
    first = AuthToken.objects.filter(user=a_user("knox login")).order_by("created").first()
    AuthToken.objects.filter(user=a_user("knox login")).exclude(pk=first.pk).delete()


def _refresh(calls: int) -> Sent:
    user = a_user("refresh")
    tokens = (str(RefreshToken.for_user(user)) for _ in range(calls))
    return Sent(bodies=_one_each(json.dumps({"refresh": token}).encode() for token in tokens))


def _grant(calls: int) -> Sent:
    user = a_user("grant")
    app = Application.objects.create(
        name="Bench",
        user=user,
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=REDIRECT,
    )
    ends = timezone.now() + timedelta(hours=1)
    grants = Grant.objects.bulk_create(
        Grant(
            user=user, code=secrets.token_urlsafe(), application=app, expires=ends, redirect_uri=REDIRECT, scope="read"
        )
        for _ in range(calls)
    )
    fixed = {"grant_type": "authorization_code", "client_id": app.client_id, "redirect_uri": REDIRECT}
    bodies = _one_each(urlencode({**fixed, "code": grant.code}).encode() for grant in grants)
    return Sent(bodies=bodies, content_type="application/x-www-form-urlencoded")


def _sesame(calls: int) -> Sent:
    return Sent(f"/measured/?{urlencode(sesame.utils.get_parameters(a_user('sesame login')))}")


def _at(view: Any) -> list[Any]:
    return [path("measured/", view.as_view())]


LIMIT = Endpoint("DRF POST + 1 INSERT", _at(InsertOne), _insert)
ENDPOINTS = (
    LIMIT,
    Endpoint("DRF POST", _at(BarePost), _insert),
    Endpoint("createSession", PORTAL, _create),
    Endpoint("exchangeSession", PORTAL, _exchange),
    Endpoint("verifyKey", PORTAL, _verify),
    Endpoint("knox login", _at(KnoxEndpoint), _knox, (), _knox_reset),
    Endpoint("JWT refresh", _at(TokenRefreshView), _refresh),
    Endpoint("oauth-toolkit code", _at(TokenView), _grant),
    Endpoint("sesame login", _at(SesameLogin), _sesame, SESSION_MIDDLEWARE),
)


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each endpoint, beside the insert."""
    rounds, calls = plan.slow_rounds, plan.slow_calls
    limit = LIMIT.client(0)
    found = {}
    for endpoint in ENDPOINTS:
        # A first call, those that warm up, those that are timed, and one whose queries are counted.
        client = endpoint.client(2 + calls + 2 * rounds * calls)
        client()
        compared = compare(limit, client, rounds=rounds, calls=calls, reset=endpoint.reset)
        found[endpoint.name] = compared | count_queries(client)
    return found
