"""The portal's brand on its pages: stylesheet, icon, logo (ui-spec 2.9, security rows 33, 37 and 38)."""

from __future__ import annotations

import re

import pytest

from portal.models import PortalConfig
from tests.factories import PortalConfigFactory

pytestmark = pytest.mark.django_db


def address(client, kind, slug="my-portal"):
    found = re.search(rf'href="([^"]*{kind}[^"]*)"', client.get(f"/{slug}/").content.decode())
    return found and found[1]


def recolor(config, color):
    config.primary_color = color
    config.save()


def test_the_theme_is_a_file_of_its_own_that_browsers_keep(client, config):
    recolor(config, "#2563eb")
    answer = client.get(address(client, "theme"))
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"--brand:#2563eb;" in answer.content
    assert b"prefers-color-scheme:dark" in answer.content
    assert len(answer.content) < 400


def test_an_old_name_leads_to_the_present_one(client, config):
    recolor(config, "#2563eb")
    old = address(client, "theme")
    recolor(config, "#dc2626")
    new = address(client, "theme")
    assert new != old
    answer = client.get(old)
    assert (answer.status_code, answer["Location"], answer["Cache-Control"]) == (302, new, "no-store")
    assert b"#dc2626" in client.get(new).content


def test_without_a_color_there_is_no_theme(client, config):
    recolor(config, "#2563eb")
    old = address(client, "theme")
    recolor(config, "")
    assert address(client, "theme") is None
    assert client.get(old).status_code == 404


def test_the_icon_is_the_first_letter_on_the_color(client, config):
    PortalConfig.objects.filter(pk=config.pk).update(display_name="<Maps>", primary_color="#ffff00")
    answer = client.get(address(client, "icon"))
    svg = answer.content.decode()
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert 'fill="#ffff00"' in svg
    assert ">&lt;<" in svg
    PortalConfig.objects.filter(pk=config.pk).update(primary_color="")
    assert 'fill="#15171c"' in client.get(address(client, "icon")).content.decode()


def test_a_closed_portal_keeps_its_look(client, config):
    recolor(config, "#2563eb")
    PortalConfig.objects.filter(pk=config.pk).update(enabled=False)
    assert client.get("/my-portal/").status_code == 403
    assert client.get(address(client, "theme")).status_code == 200


def test_an_unknown_portal_has_no_brand(client, config):
    assert client.get("/no-such-portal/theme.0123456789ab.css").status_code == 404
    assert address(client, "theme", "no-such-portal") is None
    assert address(client, "icon", "no-such-portal") == "/static/portal/favicon.svg"


def test_row_38_a_stored_color_that_is_none_is_not_printed(client, config):
    recolor(config, "#2563eb")
    theme, icon = address(client, "theme"), address(client, "icon")
    PortalConfig.objects.filter(pk=config.pk).update(primary_color="red;}*{")
    assert address(client, "theme") is None
    assert client.get(theme).status_code == 404
    assert b"red" not in client.get(icon, follow=True).content


def test_row_37_a_logo_by_url(client, config):
    config.logo_url = "https://cdn.example.com/logo.png"
    config.save()
    html = client.get("/my-portal/").content.decode()
    assert '<img src="https://cdn.example.com/logo.png" alt=""' in html
    assert 'referrerpolicy="no-referrer"' in html


def test_several_portals_on_one_host_have_their_own_looks(client, config):
    recolor(config, "#2563eb")
    PortalConfigFactory(slug="other-portal", display_name="Acme", primary_color="#008750")
    assert b"Acme" in client.get("/other-portal/").content
    assert b"Northwind" not in client.get("/other-portal/").content
    assert address(client, "theme", "other-portal").startswith("/other-portal/theme.")


def test_the_footer_is_the_operators(client, config):
    html = client.get("/my-portal/").content.decode()
    assert "Get help" not in html
    assert "Powered by" in html
    config.support_url, config.privacy_url = "mailto:help@example.com", "https://example.com/privacy"
    config.show_powered_by = False
    config.save()
    html = client.get("/my-portal/").content.decode()
    assert 'href="mailto:help@example.com"' in html
    assert 'href="https://example.com/privacy"' in html
    assert "Powered by" not in html
