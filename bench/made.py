"""Rows for the bench, made through the portal's own verbs."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from portal.contrib.keys.models import ApiKey
from portal.models import Actor, Issued, PortalConfig, PortalEvent, PortalSession, RootKey
from portal.permissions import CAPABILITIES

__all__ = ["SLUG", "SYSTEM", "a_code", "a_portal", "a_root_key", "a_session", "a_user", "an_api_key"]

SLUG = "northwind"
KEYSPACE = "ks_bench"
SYSTEM = Actor(PortalEvent.ActorKind.SYSTEM)


def a_user(name: str) -> Any:
    """Return a user of the host, for the peers. Without a password: nothing here may cost a password hasher."""
    return get_user_model().objects.get_or_create(username=name)[0]


def a_portal() -> PortalConfig:
    """Return the portal."""
    return PortalConfig.objects.get_or_create(
        slug=SLUG, defaults={"display_name": "Northwind Maps", "keyspace_id": KEYSPACE}
    )[0]


def a_code(external_id: str, portal: PortalConfig | None = None) -> Issued[PortalSession]:
    """Return a session of this end user and its exchange code."""
    return PortalSession.objects.create_session(portal or a_portal(), external_id, CAPABILITIES, actor=SYSTEM)


def a_session(external_id: str, portal: PortalConfig | None = None) -> str:
    """Return the access token of a session of this end user."""
    return PortalSession.objects.exchange(a_code(external_id, portal).secret).secret


def a_root_key() -> str:
    """Return a root key that may do everything."""
    return RootKey.objects.issue("Bench", ["*"]).secret


def an_api_key(external_id: str = "user_1") -> str:
    """Return an API key of this end user, with a name that no other has."""
    name = f"Key {secrets.token_hex(8)}"
    with transaction.atomic():
        return ApiKey.objects.issue(
            a_portal().key_prefix, keyspace_id=KEYSPACE, external_id=external_id, name=name, permissions=["maps.read"]
        )[1]
