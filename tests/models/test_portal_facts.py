"""What a mint knows of its portal: the facts, read by a fixed statement, and the portal's own rules for them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from portal.portal_lookup import find_portal
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db

GRANTED = [[], ["keys:read"], ["keys:create"], ["api.ks_1.read_key"], ["api.*.read_key", "analytics:read"]]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"enabled": False},
        {"keyspace_id": ""},
        {"return_origins": []},
        {"extra_capabilities": ["keys:update", "keys:delete"]},
    ],
    ids=repr,
)
def test_decision_20_the_facts_are_the_orms(fields):
    config = PortalConfigFactory(**fields)
    by_slug, by_id = find_portal(config.slug), find_portal(config.public_id)
    assert by_slug == by_id
    for name in ("pk", "public_id", "slug", "enabled", "keyspace_id", "keyspace"):
        assert getattr(by_slug, name) == getattr(config, name)
    for name in ("return_origins", "extra_capabilities"):
        assert list(getattr(by_slug, name)) == getattr(config, name)
    for granted in (*GRANTED, [f"api.{config.keyspace}.read_key"]):
        assert by_slug.capabilities_of(granted) == config.capabilities_of(granted)


@pytest.mark.parametrize("name", ["no-such-portal", "prt_none", ""])
def test_without_a_portal_there_are_none(name):
    PortalConfigFactory()
    assert find_portal(name) is None


def test_a_change_is_seen_at_once():
    config = PortalConfigFactory()
    before = find_portal(config.slug)
    config.enabled, config.extra_capabilities = False, ["keys:delete"]
    config.save()
    after = find_portal(config.slug)
    assert (before.enabled, after.enabled) == (True, False)
    assert after.extra_capabilities == ("keys:delete",)


def test_requests_cannot_change_what_they_share():
    facts = find_portal(PortalConfigFactory().slug)
    with pytest.raises(FrozenInstanceError):
        facts.enabled = False
    assert isinstance(facts.return_origins, tuple)
    assert isinstance(facts.extra_capabilities, tuple)
