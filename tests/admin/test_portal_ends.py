"""Switching portals off and deleting them in the admin."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.models import PortalConfig, PortalEvent, PortalLogo, PortalSession
from tests.admin.forms import shown, submit
from tests.admin.rows import staff, text
from tests.factories import PortalConfigFactory, mint, sign_in

pytestmark = pytest.mark.django_db

LIST = "/admin/portal/portalconfig/"


def url(config, page="change"):
    return f"{LIST}{config.pk}/{page}/"


def many_sessions(config, count):
    """Write live sessions quickly."""
    like = mint(config).row
    fields = ("permissions", "capabilities", "code_expires_at", "keyspace_id")
    values = {name: getattr(like, name) for name in fields}
    PortalSession.objects.bulk_create(
        PortalSession(config=config, external_id=f"u_{n}", code_hash=n.to_bytes(32), **values) for n in range(count - 1)
    )


def test_disabling_asks_first_and_saves_everything_else(operator, config):
    session = sign_in(config).row
    mint(config)
    answer = submit(operator, url(config), enabled=None, display_name="Southwind", keyspace_id="ks_1")
    assert answer.headers["Location"] == url(config, "disable")
    config.refresh_from_db()
    assert (config.enabled, config.display_name) == (True, "Southwind")
    assert LogEntry.objects.get().get_change_message() == "Changed Display name."
    page = operator.get(url(config, "disable"))
    assert "Sessions end now. API keys keep working. Currently 2 live sessions." in text(page)
    session.refresh_from_db()
    assert session.revoked_at is None
    answer = submit(operator, url(config, "disable"))
    assert answer.headers["Location"] == url(config)
    config.refresh_from_db()
    session.refresh_from_db()
    assert (config.enabled, config.display_name) == (False, "Southwind")
    assert session.revoked_at is not None
    ended = PortalEvent.objects.get(kind="session.revoked")
    assert (ended.actor_kind, ended.actor_id, ended.address) == ("operator", "ada", "127.0.0.1")
    assert ended.detail == {"reason": "portal_disabled", "count": 2}
    changed = PortalEvent.objects.filter(kind="portal.changed", actor_id="ada")
    assert {tuple(event.detail["fields"]) for event in changed} == {("display_name",), ("enabled",)}
    assert LogEntry.objects.first().get_change_message() == "Changed Enabled."
    assert "The portal is off. Its sessions have ended." in text(operator.get(url(config)))


def test_nothing_else_changed_nothing_else_is_saved(operator, config):
    PortalEvent.objects.all().delete()
    assert submit(operator, url(config), enabled=None).headers["Location"] == url(config, "disable")
    assert not PortalEvent.objects.exists()


def test_disabling_with_a_mistake_in_the_form(operator, config):
    answer = submit(operator, url(config), enabled=None, slug="No Slug")
    assert "enabled" not in shown(answer)
    config.refresh_from_db()
    assert config.enabled


def test_a_closed_portal_is_not_closed_twice(operator, config):
    config.enabled = False
    config.save()
    PortalEvent.objects.all().delete()
    for answer in (operator.get(url(config, "disable")), operator.post(url(config, "disable"))):
        assert answer.headers["Location"] == url(config)
    assert not PortalEvent.objects.exists()


def test_opening_a_portal_again_asks_nothing(operator, config):
    session = sign_in(config).row
    config.enabled = False
    config.save()
    assert submit(operator, url(config), enabled="on").headers["Location"] == LIST
    config.refresh_from_db()
    session.refresh_from_db()
    assert config.enabled
    assert session.revoked_at is not None


def test_a_portal_that_somebody_else_closed_stays_closed(operator, config):
    opened = shown(operator.get(url(config)))
    submit(operator, url(config, "disable"))
    submit(operator, url(config), opened, display_name="Southwind")
    config.refresh_from_db()
    assert (config.enabled, config.display_name) == (False, "Southwind")


def test_a_great_number_is_not_counted(operator, config):
    many_sessions(config, 1000)
    assert "Currently 1,000 live sessions." in text(operator.get(url(config, "disable")))
    mint(config)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = operator.get(url(config, "disable"))
    assert "Currently more than 1,000 live sessions." in text(page)
    counting = [query["sql"] for query in queries if "COUNT" in query["sql"].upper()]
    assert len(counting) == 1
    assert "LIMIT 1001" in counting[0]
    # The expression of the index that leads past what ended long ago.
    assert "COALESCE" in counting[0]


def test_one_session_is_one(operator, config):
    sign_in(config)
    sign_in(config).row.revoke()
    sign_in(PortalConfigFactory())
    assert "Currently 1 live session." in text(operator.get(url(config, "disable")))


def test_deleting_a_portal(operator, config):
    sign_in(config)
    mint(config)
    kept = mint(PortalConfigFactory())
    PortalLogo.objects.create(config=config, name="logo.0.png", content_type="image/png", content=b"x")
    page = text(operator.get(url(config, "delete")))
    assert "Northwind Maps (my-portal)" in page
    assert "Currently 2 live sessions." in page
    assert "ps_" not in page
    assert submit(operator, url(config, "delete")).headers["Location"] == LIST
    assert PortalConfig.objects.count() == 1
    assert list(PortalSession.objects.all()) == [kept.row]
    event = PortalEvent.objects.get(kind="portal.deleted")
    assert (event.actor_kind, event.actor_id, event.portal_id) == ("operator", "ada", config.public_id)


def test_deleting_many_portals(operator, config):
    other = PortalConfigFactory(slug="other")
    kept = PortalConfigFactory(slug="kept")
    mint(config)
    mint(other)
    form = {"action": "delete_selected", "_selected_action": [config.pk, other.pk]}
    page = text(operator.post(LIST, form))
    assert "(my-portal)" in page
    assert "(other)" in page
    assert "(kept)" not in page
    assert "Currently 2 live sessions." in page
    assert operator.post(LIST, {**form, "post": "yes"}).status_code == 302
    assert list(PortalConfig.objects.all()) == [kept]
    assert set(
        PortalEvent.objects.filter(kind="portal.deleted", actor_id="ada").values_list("portal_id", flat=True)
    ) == {
        config.public_id,
        other.public_id,
    }


def test_the_delete_pages_read_no_sessions(operator, config):
    many_sessions(config, 50)
    with CaptureQueriesContext(connection) as queries:
        operator.get(url(config, "delete"))
        submit(operator, url(config, "delete"))
    read = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert read
    assert [sql for sql in read if '"portal_portalsession"."external_id"' in sql] == []
    assert not PortalSession.objects.exists()


def test_who_may_delete_portals_needs_no_rights_on_sessions(config):
    mint(config)
    client = staff("view_portalconfig", "delete_portalconfig")
    assert submit(client, url(config, "delete")).status_code == 302
    assert not PortalConfig.objects.exists()


def test_a_right_that_a_host_takes_away_for_one_portal(operator, config, monkeypatch):
    from django.contrib import admin

    kept = PortalConfigFactory(slug="kept")
    registered = admin.site.get_model_admin(PortalConfig)
    monkeypatch.setattr(
        registered, "has_delete_permission", lambda request, obj=None: obj is None or obj.slug != "kept"
    )
    form = {"action": "delete_selected", "_selected_action": [config.pk, kept.pk]}
    assert "your account doesn't have permission" in text(operator.post(LIST, form))
    assert operator.post(LIST, {**form, "post": "yes"}).status_code == 403
    assert PortalConfig.objects.count() == 2
