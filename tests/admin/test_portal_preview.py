"""Opening a preview from the admin (design decision 15; security row 45)."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from portal.models import PortalEvent, PortalSession
from portal.permissions import CAPABILITIES
from tests.admin.forms import shown, submit
from tests.admin.rows import staff, text
from tests.admin.test_portal_form import errors
from tests.pages.flow import enter

pytestmark = pytest.mark.django_db


def url(config):
    return f"/admin/portal/portalconfig/{config.pk}/preview/"


def link(response):
    """Return the link into the portal that the page shows."""
    page = response.content.decode()
    found = re.search(r'<a class="button portal-open" href="([^"]+)" target="_blank" rel="noopener">', page)
    assert found, page
    return unescape(found[1])


def code(address):
    return parse_qs(urlsplit(address).query)["session"][0]


def test_a_preview_is_read_only_and_for_whom_was_asked(operator, config, api):
    assert shown(operator.get(url(config)))["external_id"] == ["preview-user"]
    assert not PortalSession.objects.exists()
    page = submit(operator, url(config), external_id="user_42")
    address = link(page)
    assert address.startswith("https://portal.example.com/my-portal/?session=pst_")
    assert "The preview for user_42 is ready." in text(page)
    assert "works once, for 15 minutes" in text(page)
    assert "no-store" in page.headers["Cache-Control"]
    session = PortalSession.objects.get()
    assert (session.external_id, session.preview, session.minted_by) == ("user_42", True, None)
    assert session.permissions == list(CAPABILITIES)
    browser = Client()
    token = enter(browser, code(address))
    inside = browser.get("/my-portal/session/").content.decode()
    assert "Preview:" in inside
    answer = api("getSession", {}, token=token).json()
    assert answer["data"]["externalId"] == "user_42"


def test_row_45_the_operator_is_in_the_audit_trail(operator, config):
    page = submit(operator, url(config))
    event = PortalEvent.objects.get(kind="session.created")
    assert (event.actor_kind, event.actor_id, event.address) == ("operator", "ada", "127.0.0.1")
    assert (event.portal_id, event.external_id) == (config.public_id, "preview-user")
    assert code(link(page)) not in str(event.detail)


@pytest.mark.parametrize("external_id", ["", "x" * 257, "a\0b"])
def test_what_is_no_external_id(operator, config, external_id):
    answer = operator.post(url(config), {"external_id": external_id})
    assert len(errors(answer)) == 1
    assert not PortalSession.objects.exists()


def test_a_closed_portal_has_no_preview(operator, config):
    config.enabled = False
    config.save()
    assert errors(submit(operator, url(config))) == ["This portal is closed. Switch it on first."]
    assert not PortalSession.objects.exists()


def test_a_portal_that_changes_meanwhile(operator, config, monkeypatch):
    monkeypatch.setattr("portal.models.session_queryset.mint", lambda *args, **options: None)
    (message,) = errors(submit(operator, url(config)))
    assert message.startswith("The portal was changed meanwhile")


def test_without_an_address_nothing_is_minted(operator, config, settings):
    settings.PORTAL = {}
    (message,) = errors(submit(operator, url(config)))
    assert message.startswith('Set PORTAL["BASE_URL"]')
    assert not PortalSession.objects.exists()


def test_it_needs_a_permission_of_its_own(config):
    client = staff("view_portalconfig", "change_portalconfig")
    assert client.get(url(config)).status_code == 403
    assert client.post(url(config), {"external_id": "user_42"}).status_code == 403
    assert not PortalSession.objects.exists()


def test_the_permission_alone_is_not_enough_and_with_viewing_it_is(config, django_user_model):
    client = staff("preview_portalconfig")
    assert client.post(url(config), {"external_id": "user_42"}).status_code == 403
    django_user_model.objects.get(username="bob").delete()
    client = staff("preview_portalconfig", "view_portalconfig")
    link(client.post(url(config), {"external_id": "user_42"}))
    event = PortalEvent.objects.get(kind="session.created")
    assert (event.actor_kind, event.actor_id) == ("operator", "bob")


def test_a_stranger_and_a_forged_form(config, operator):
    assert Client().get(url(config)).headers["Location"].startswith("/admin/login/")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    assert strict.post(url(config), {"external_id": "user_42"}).status_code == 403
    assert operator.put(url(config)).status_code == 405
    assert not PortalSession.objects.exists()


def test_a_name_longer_than_the_audit_trail_takes_is_cut(config, operator, django_user_model, monkeypatch):
    monkeypatch.setattr(django_user_model, "get_username", lambda self: "x" * 300)
    submit(operator, url(config))
    assert PortalEvent.objects.get(kind="session.created").actor_id == "x" * 256
