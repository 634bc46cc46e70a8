"""The keys page, 25 rows: of a user with 25 keys and of one with thousands, beside a Django view that answers a line."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret

from .client import Client, Sent, project
from .made import KEYSPACE, SLUG, a_session, an_api_key
from .measure import compare, count_queries
from .plan import Plan
from .series import analyze

__all__ = ["measure"]

PORTAL = [path("", include("portal.urls"))]
PAGE_SIZE = 25


def bare(request: HttpRequest) -> HttpResponse:
    """Answer a line."""
    return HttpResponse("ok", content_type="text/plain")


def owner_of(keys: int) -> Client:
    """Return a client that asks for the keys page of a user with so many keys."""
    external_id = f"owner_{keys}"
    an_api_key(external_id)
    fields = {"keyspace_id": KEYSPACE, "external_id": external_id, "permissions": ["maps.read"]}
    made = ApiKey.objects.bulk_create(ApiKey(name=f"Key {n}", **fields) for n in range(1, keys))
    KeySecret.objects.bulk_create(
        KeySecret(key=key, secret_hash=secrets.token_bytes(32), start=f"sk_{key.public_id[-4:]}") for key in made
    )
    assert ApiKey.objects.owned_by(KEYSPACE, external_id).active(clock.now()).count() == keys
    analyze()
    return Client(project(PORTAL), Sent(f"/{SLUG}/keys/", {"Cookie": f"portal_session={a_session(external_id)}"}))


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each owner beside the bare view, and one for many keys beside few."""
    plain = Client(project([path("measured/", bare)]), Sent())
    few, many = owner_of(PAGE_SIZE), owner_of(plan.keys)
    rounds, calls = plan.slow_rounds, plan.slow_calls
    found = {}
    for name, base, client in (
        (f"few keys: {PAGE_SIZE}", plain, few),
        (f"many keys: {plan.keys:,}", plain, many),
        ("many beside few", few, many),
    ):
        client()
        found[name] = compare(base, client, rounds=rounds, calls=calls) | count_queries(client)
    return found
