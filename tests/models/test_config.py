"""PortalConfig: what a portal may be, and what ends with it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal import slugs
from portal.models import PortalConfig, PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, mint, sign_in

pytestmark = pytest.mark.django_db


def problems(**fields):
    with pytest.raises(ValidationError) as caught:
        PortalConfigFactory.build(**fields).full_clean()
    return set(caught.value.message_dict)


@pytest.mark.parametrize("slug", ["abc", "a-b", "my-portal-2", "a" * 64, "123"])
def test_good_slugs(slug):
    PortalConfigFactory.build(slug=slug).full_clean()


@pytest.mark.parametrize(
    "slug", ["", "ab", "a" * 65, "-ab", "ab-", "a--b", "A-b", "a_b", "a b", "äbc", "abc\n", "٣٣٣", *slugs.RESERVED]
)
def test_bad_slugs(slug):
    assert problems(slug=slug) == {"slug"}


def test_a_slug_is_unique(config):
    assert "__all__" in problems(slug="my-portal")
    with pytest.raises(IntegrityError), transaction.atomic():
        PortalConfigFactory(slug="my-portal")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("return_origins", "https://app.example.com"),
        ("return_origins", [7]),
        ("return_origins", ["https://app.example.com/path"]),
        ("return_origins", ["HTTPS://app.example.com"]),
        ("return_origins", ["https://app.example.com:443"]),
        ("return_origins", ["http://app.example.com"]),
        ("return_origins", ["https://*.example.com"]),
        ("allowed_origins", ["null"]),
        ("allowed_origins", ["*"]),
        ("frame_ancestors", ["https://app.example.com; script-src *"]),
        ("extra_capabilities", ["keys:fly"]),
        ("extra_capabilities", {"keys:read": True}),
        ("primary_color", "red"),
        ("primary_color", "#12345"),
        ("primary_color", "#12345g"),
        ("primary_color", "#123456;"),
        ("primary_color", "#12345\n"),
        ("logo_url", "http://cdn.example.com/logo.png"),
        ("logo_url", "data:image/png;base64,x"),
        ("privacy_url", "javascript:alert(1)"),
        ("support_url", "ftp://example.com"),
        ("return_url", "https://evil.example/"),
        ("return_url", "/settings"),
        ("locale", "not a language!!"),
        ("locale", "de_DE"),
        ("locale", "de\n"),
    ],
)
def test_rows_37_to_39_bad_fields_are_named(field, value):
    fields = {"return_url": "", field: value}
    assert problems(**fields) == {field}


def test_good_fields():
    PortalConfigFactory.build(
        slug="good",
        return_origins=["https://app.example.com", "http://localhost:3000", "http://[::1]:8000"],
        return_url="http://localhost:3000/settings?tab=keys#top",
        allowed_origins=["https://app.example.com:8443"],
        frame_ancestors=["https://app.example.com"],
        extra_capabilities=["keys:update"],
        primary_color="#2563EB",
        logo_url="https://cdn.example.com/logo.png",
        support_url="mailto:help@example.com",
        privacy_url="https://example.com/privacy",
        locale="pt-BR",
    ).full_clean()


@pytest.mark.parametrize("nothing", [[], (), frozenset()])
def test_saving_no_field_is_no_change(config, nothing):
    before, config.enabled = config.updated_at, False
    config.save(update_fields=nothing)
    assert not PortalEvent.objects.filter(kind="portal.changed").exists()
    config.refresh_from_db()
    assert (config.updated_at, config.enabled) == (before, True)


def test_names(config):
    assert str(config) == config.app_name == "Northwind Maps"
    assert PortalConfigFactory.build(slug="plain", display_name="").app_name == "plain"


def test_row_24_two_portals_share_keys_by_intent_only():
    first, second = PortalConfigFactory(keyspace_id=""), PortalConfigFactory(keyspace_id="")
    assert first.keyspace == first.public_id != second.keyspace
    for keyspace_id, message in (
        (first.public_id, "This is the id of another portal. Give the two one keyspace id to share."),
        (" ks_1", "Leave out the spaces around it."),
    ):
        second.keyspace_id = keyspace_id
        with pytest.raises(ValidationError) as caught:
            second.full_clean()
        assert caught.value.message_dict == {"keyspace_id": [message]}
    first.keyspace_id = first.public_id
    first.full_clean()


def test_a_tuple_can_name_the_keys_of_a_portal_without_a_keyspace_id():
    config = PortalConfigFactory(keyspace_id="")
    assert mint(config, granted=[f"api.{config.public_id}.read_key"]).row.capabilities == "keys:read"


def test_querysets(config):
    closed = PortalConfigFactory(enabled=False)
    assert list(PortalConfig.objects.enabled()) == [config]
    assert PortalConfig.objects.for_slug(closed.slug) == closed
    with pytest.raises(PortalConfig.DoesNotExist):
        PortalConfig.objects.enabled().for_slug(closed.slug)


@pytest.mark.parametrize("in_bulk", [False, True])
def test_deleting_takes_the_sessions_along_and_leaves_the_events(config, in_bulk):
    sign_in(config)
    mint(config)
    kept = mint(PortalConfigFactory())
    if in_bulk:
        PortalConfig.objects.filter(slug="my-portal", enabled=True).delete()
    else:
        config.delete()
    assert list(PortalSession.objects.all()) == [kept.row]
    assert PortalConfig.objects.count() == 1
    assert PortalEvent.objects.filter(external_id="user_123").count() == 4


def test_row_45_disabling_is_in_the_audit_trail(config):
    sign_in(config)
    mint(config, "user_456")
    config.enabled = False
    config.save()
    event = PortalEvent.objects.get(kind="session.revoked")
    assert (event.kind, event.actor_kind, event.portal_id) == ("session.revoked", "system", config.public_id)
    assert event.detail == {"reason": "portal_disabled", "count": 2}
    assert str(event) == f"session.revoked {config.public_id}"
