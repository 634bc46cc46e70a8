"""The portal whose page is asked for is what the ORM says that it is."""

from __future__ import annotations

import pytest

from portal.models import PortalConfig
from portal.portal_lookup import portal_at
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db

FULL = {
    "display_name": "Ä \\ \" '",
    "key_longest_days": 30,
    "key_limit": 7,
    "key_permissions": ["maps.read", "maps.write"],
    "key_grace_periods": [0, 3600],
    "frame_ancestors": ["https://app.example.com"],
    "logo_file": "portal/logo.png",
    "locale": "de",
    "enabled": False,
}
BARE = {"key_longest_days": None, "key_limit": None, "enabled": True, "show_powered_by": False}


@pytest.mark.parametrize("fields", [FULL, BARE], ids=["full", "bare"])
def test_it_is_as_the_orm_reads_it(fields, django_assert_num_queries):
    PortalConfigFactory()
    config = PortalConfigFactory(slug="my-portal", **fields)
    with django_assert_num_queries(1):
        found = portal_at("my-portal")
        values = {field.attname: getattr(found, field.attname) for field in PortalConfig._meta.concrete_fields}
    expected = PortalConfig.objects.get(pk=config.pk)
    assert values == {name: getattr(expected, name) for name in values}
    assert {name: type(value) for name, value in values.items()} == {
        name: type(getattr(expected, name)) for name in values
    }
    assert found == expected
    assert found._state.db == expected._state.db
    assert not found._state.adding


def test_a_slug_is_not_a_portal_id_and_is_compared_as_it_is(config):
    assert portal_at(config.public_id) is None
    assert portal_at("MY-PORTAL") is None
    assert portal_at("no-such-portal") is None
