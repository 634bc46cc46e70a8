"""Addresses below a portal at which nothing is, and those of the host beside it."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from portal.models import PortalConfig
from tests.factories import sign_in
from tests.pages.flow import heading, words

pytestmark = pytest.mark.django_db

NOTHING = ["nothing/", "nothing", "keys/foo/bar/", "keys/foo/bar", "usage.xml", "session/end/now/", "theme.css", "v2/x"]


def is_ours(answer):
    """Say whether the answer has our headers, as each page of ours has."""
    return "default-src 'none'" in answer.get("Content-Security-Policy", "")


@pytest.mark.parametrize("path", NOTHING)
def test_the_portals_own_page_says_so(client, config, path):
    outside = client.get(f"/my-portal/{path}")
    assert (outside.status_code, heading(outside), is_ours(outside)) == (404, "Page not found", True)
    assert "Northwind Maps" in words(outside.content.decode())
    client.cookies["portal_session"] = sign_in(config).secret
    inside = client.get(f"/my-portal/{path}")
    assert inside.status_code == 404
    html = inside.content.decode()
    assert 'href="/my-portal/"' in html
    assert "Go to the start page" in words(html)
    # A cache that takes the address for a file's must not keep a page about somebody (security row 32).
    assert inside.content == outside.content


def test_whatever_the_method_and_the_hosts_csrf_check(config):
    client = Client(enforce_csrf_checks=True)
    for method in ("post", "put", "delete", "options"):
        answer = getattr(client, method)("/my-portal/nothing/")
        assert (answer.status_code, heading(answer)) == (404, "Page not found")
    assert client.head("/my-portal/nothing/").status_code == 404


def test_a_closed_portal_is_closed_there_too(client, config):
    PortalConfig.objects.update(enabled=False)
    answer = client.get("/my-portal/nothing/")
    assert (answer.status_code, heading(answer)) == (403, "This portal is closed")


@pytest.mark.parametrize("path", ["keys", "keys/new", "keys/key_1/edit", "usage", "session"])
def test_a_forgotten_slash_leads_to_the_page(client, config, settings, path):
    answer = client.get(f"/my-portal/{path}?range=7d")
    assert (answer.status_code, answer["Location"]) == (301, f"/my-portal/{path}/?range=7d")
    settings.APPEND_SLASH = False
    answer = client.get(f"/my-portal/{path}")
    assert (answer.status_code, is_ours(answer)) == (404, True)


@pytest.mark.parametrize(
    "path", ["/no-portal/nothing/", "/no-portal/nothing", "/v2/no.operation", "/xy/z/", "/My/x/", "/my-portal/x%0A"]
)
def test_below_what_is_no_portal_it_is_the_hosts(client, config, path):
    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, is_ours(answer)) == (404, False)


def test_the_hosts_addresses_stay_the_hosts(client, config, settings):
    settings.ROOT_URLCONF = "tests.hosts.files_after"
    assert client.get("/media/logos/a.png").content == b"{'name': 'logos/a.png'}"
    assert client.get("/blog/post/").content == b"{'post': 'post'}"
    answer = client.get("/blog/post")
    assert (answer.status_code, answer["Location"]) == (301, "/blog/post/")
    assert not is_ours(client.get("/blog/post/more/"))
    assert client.get("/static/nothing.css").status_code == 404


def test_under_a_prefix(client, config, settings):
    settings.ROOT_URLCONF = "tests.hosts.pages_only"
    assert is_ours(client.get("/customers/my-portal/nothing/"))
    assert not is_ours(client.get("/my-portal/nothing/"))
    assert client.get("/customers/my-portal/keys")["Location"] == "/customers/my-portal/keys/"


def test_it_needs_no_login_of_the_hosts(client, config, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert client.get("/my-portal/nothing/").status_code == 404


def test_while_the_database_is_away(client, database_away):
    with database_away(OperationalError("gone")):
        answer = client.get("/my-portal/nothing/")
    assert (answer.status_code, heading(answer)) == (503, "The portal is being updated")
