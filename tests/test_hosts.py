"""Hosts of other shapes: API only, pages only, ATOMIC_REQUESTS, other primary keys."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import NoReverseMatch, reverse

import portal
from portal.models import PortalConfig
from tests.envelopes import assert_answer, assert_refused
from tests.pages.flow import enter, heading

pytest_plugins = ["portal.testing.pytest_plugin"]

ROOT = Path(portal.__file__).parent.parent


@pytest.mark.django_db
def test_a_host_of_the_api_alone(settings, config, root_key, api, client):
    settings.ROOT_URLCONF = "tests.hosts.api_only"
    body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
    answer = assert_answer(api("createSession", body, token=root_key.secret))
    assert_answer(api("exchangeSession", {"sessionId": answer["data"]["sessionId"]}))
    assert client.get("/my-portal/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("portal:home", kwargs={"slug": "my-portal"})


def test_a_host_of_the_pages_alone_under_a_prefix(settings, config, portal_client):
    settings.ROOT_URLCONF = "tests.hosts.pages_only"
    settings.PORTAL = {}
    inside = portal_client.enter("my-portal", "user_123", ["keys:read"])
    assert inside.wsgi_request.path == "/customers/my-portal/keys/"
    assert heading(inside) == "API keys"
    assert portal_client.post("/customers/v2/portal.getSession").status_code == 404


def test_only_the_api_needs_rest_framework():
    script = """
import sys
sys.modules["rest_framework"] = sys.modules["pytest"] = None
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["portal"], ROOT_URLCONF="tests.hosts.pages_only", SECRET_KEY="x",
                   DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.core.management import call_command
call_command("check")
import portal.shortcuts, portal.pages.access, portal.testing
print("imported")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("imported\n"), done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_host_with_atomic_requests(client, api):
    """Our views stay outside: a failed exchange would otherwise roll back its own replay event."""
    from portal.models import PortalEvent
    from tests.factories import PortalConfigFactory, issue_root_key

    config = PortalConfigFactory(slug="my-portal")
    key = issue_root_key().secret
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
        code = assert_answer(api("createSession", body, token=key))["data"]["sessionId"]
        enter(client, code)
        assert_refused(
            api("exchangeSession", {"sessionId": code}), 401, "unkey/authentication/portal_session_not_found"
        )
        assert client.get("/own/plain/").status_code == 200
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert PortalEvent.objects.filter(kind="session.replayed", portal_id=config.public_id).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["django.db.models.BigAutoField", "django.db.models.AutoField"])
def test_the_hosts_default_auto_field_asks_for_no_migration(settings, field):
    settings.DEFAULT_AUTO_FIELD = field
    out = StringIO()
    call_command("makemigrations", "portal", "--check", "--dry-run", stdout=out)
    assert "No changes detected" in out.getvalue()
    assert PortalConfig._meta.pk.get_internal_type() == "BigAutoField"


@pytest.mark.django_db(transaction=True)
def test_the_migration_goes_back_and_forth():
    call_command("migrate", "portal", "zero", verbosity=0)
    assert "portal_portalsession" not in connection.introspection.table_names()
    call_command("migrate", "portal", verbosity=0)
    assert "portal_portalsession" in connection.introspection.table_names()
