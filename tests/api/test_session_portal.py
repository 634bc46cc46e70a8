"""The portal that an operation on keys reads again is what the ORM says that it is."""

from __future__ import annotations

import pytest

from portal.api.session_portal import portal_of
from portal.authenticate import authenticate_session
from portal.keystore.memory import MemoryKeyStore
from portal.models import PortalConfig
from tests.envelopes import assert_answer
from tests.factories import PortalConfigFactory, sign_in

pytestmark = pytest.mark.django_db


def test_it_is_as_the_orm_reads_it(django_assert_num_queries):
    PortalConfigFactory()
    config = PortalConfigFactory(
        display_name="Ä \\ \" '",
        key_longest_days=30,
        key_limit=7,
        key_permissions=["maps.read", "maps.write"],
        key_default_permissions=["maps.read"],
        key_grace_periods=[0, 3600],
        logo_url="https://cdn.example.com/logo.svg",
    )
    session = authenticate_session(sign_in(config).secret)
    with django_assert_num_queries(1):
        found = portal_of(session)
    expected = PortalConfig.objects.get(pk=config.pk)
    for field in PortalConfig._meta.concrete_fields:
        was, now = getattr(expected, field.attname), getattr(found, field.attname)
        assert (field.name, type(now), now) == (field.name, type(was), was)


def test_a_portal_without_limits_has_none():
    session = authenticate_session(
        sign_in(PortalConfigFactory(key_longest_days=None, key_limit=None, key_never_expires=True)).secret
    )
    found = portal_of(session)
    assert (found.key_longest_days, found.key_limit, found.key_never_expires, found.enabled) == (None, None, True, True)


class CuriousStore(MemoryKeyStore):
    """Asks the portal for what keys have nothing to do with, on a thread of its own."""

    time_limit = 3

    def list_keys(self, owner, query):
        assert owner.config.return_url == "https://app.example.com/"
        return super().list_keys(owner, query)


def test_a_key_store_gets_all_of_the_portal(api, settings):
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": f"{__name__}.CuriousStore"}}
    config = PortalConfigFactory(return_url="https://app.example.com/")
    assert_answer(api("listKeys", token=sign_in(config).secret))
