"""Rows for tests, made through the models' own verbs where a verb exists."""

from __future__ import annotations

from typing import Any

import factory

from portal.models import Actor, Issued, PortalConfig, PortalEvent, PortalSession, RootKey

ALL = ("keys:read", "keys:create", "keys:reroll", "keys:update", "keys:delete", "analytics:read")


class PortalConfigFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PortalConfig

    slug = factory.Sequence(lambda n: f"portal-{n}")
    display_name = "Northwind Maps"
    keyspace_id = "ks_1"
    return_url = "https://app.example.com/settings"
    return_origins = factory.LazyFunction(lambda: ["https://app.example.com"])


def issue_root_key(name: str = "Backend", **options: Any) -> Issued[RootKey]:
    return RootKey.objects.issue(name, **options)


def mint(config: PortalConfig | None = None, external_id: str = "user_123", granted: Any = ALL, **options: Any):
    """Return ``Issued(session, code)``."""
    options.setdefault("actor", Actor(PortalEvent.ActorKind.SYSTEM))
    return PortalSession.objects.create_session(config or PortalConfigFactory(), external_id, granted, **options)


def sign_in(config: PortalConfig | None = None, external_id: str = "user_123", granted: Any = ALL, **options: Any):
    """Return ``Issued(session, access token)``."""
    return PortalSession.objects.exchange(mint(config, external_id, granted, **options).secret)
