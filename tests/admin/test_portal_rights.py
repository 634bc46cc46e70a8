"""Who sees and may do what with portals in the admin, and what every page keeps to: no inline script, style or handler."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.contrib.auth.models import Permission

from portal.models import PortalConfig, PortalLogo
from tests.admin.forms import shown, submit
from tests.admin.rows import assert_strict, staff, text
from tests.factories import PortalConfigFactory, mint
from tests.test_hosts import ROOT

LIST = "/admin/portal/portalconfig/"
BUTTONS = ("Open preview", "Integration guide", "View portal")


@pytest.fixture
def full(db):
    """Return a portal with something in every field."""
    config = PortalConfigFactory(
        slug="my-portal",
        primary_color="#0f6b4f",
        allowed_origins=["https://shop.example.com"],
        frame_ancestors=["https://shop.example.com"],
        extra_capabilities=["keys:update"],
        logo_url="https://cdn.example.com/logo.png",
        support_url="mailto:help@example.com",
        logo_file="logo.0123456789ab.png",
    )
    PortalLogo.objects.create(config=config, name=config.logo_file, content_type="image/png", content=b"x")
    mint(config)
    return config


def pages(config):
    own = ("change", "preview", "guide", "disable", "delete", "history")
    return [LIST, f"{LIST}add/", *(f"{LIST}{config.pk}/{name}/" for name in own)]


def test_every_page_keeps_to_a_strict_policy(operator, full):
    for address in pages(full):
        page = operator.get(address)
        assert page.status_code == 200
        assert_strict(page)
    for page in (
        submit(
            operator, f"{LIST}{full.pk}/change/", slug="No", primary_color="x", return_origins="x", allowed_origins="y"
        ),
        submit(operator, f"{LIST}{full.pk}/preview/"),
        submit(operator, f"{LIST}{full.pk}/preview/", external_id=""),
        operator.post(LIST, {"action": "delete_selected", "_selected_action": full.pk}),
    ):
        assert page.status_code == 200
        assert_strict(page)


def test_whoever_may_look_sees_everything_and_no_buttons_for_more(full):
    client = staff("view_portalconfig")
    page = client.get(f"{LIST}{full.pk}/change/")
    words = text(page)
    for seen in (
        "my-portal",
        "Northwind Maps",
        full.public_id,
        "https://portal.example.com/my-portal/",
        "#0f6b4f",
        "adjusted",
        "https://shop.example.com",
        "keys:update",
        "mailto:help@example.com",
        "logo.0123456789ab.png",
        "https://app.example.com/settings",
    ):
        assert seen in words
    assert [button for button in BUTTONS if button in words] == ["Integration guide", "View portal"]
    assert set(shown(page)) <= {"csrfmiddlewaretoken"}
    assert "Delete" not in words
    assert_strict(page)
    for name, status in {"preview": 403, "disable": 403, "delete": 403, "guide": 200, "history": 200}.items():
        assert client.get(f"{LIST}{full.pk}/{name}/").status_code == status
    for name in ("change", "disable", "delete"):
        assert client.post(f"{LIST}{full.pk}/{name}/", {"slug": "x-x"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert PortalConfig.objects.get().enabled


def test_each_right_brings_its_own_buttons(full):
    words = text(staff("view_portalconfig", "preview_portalconfig").get(f"{LIST}{full.pk}/change/"))
    assert [button for button in BUTTONS if button in words] == list(BUTTONS)
    assert "Save" not in words


def test_whoever_may_change_portals_disables_them_and_no_more(full):
    client = staff("view_portalconfig", "change_portalconfig")
    words = text(client.get(f"{LIST}{full.pk}/change/"))
    assert "Open preview" not in words
    assert "Delete" not in words
    submit(client, f"{LIST}{full.pk}/disable/")
    assert not PortalConfig.objects.get().enabled


@pytest.mark.parametrize("permissions", [(), ("view_rootkey",), ("add_portalconfig",)])
def test_without_a_right_to_look_everything_is_refused(full, permissions):
    client = staff(*permissions)
    for address in pages(full):
        if not (address.endswith("/add/") and "add_portalconfig" in permissions):
            assert client.get(address).status_code == 403, address
    # Nor does the answer tell which portals there are.
    assert client.get(f"{LIST}0/guide/").status_code == 403


def test_a_host_without_the_admin():
    """The app works, and nothing of it imports the admin."""
    script = """
import sys
sys.modules["django.contrib.admin"] = None
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["portal"], ROOT_URLCONF="tests.hosts.pages_only", SECRET_KEY="x",
                   DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.core.management import call_command
call_command("check")
call_command("migrate", verbosity=0)
from portal.models import PortalConfig
PortalConfig.objects.create(slug="my-portal")
print("portal.admin" in sys.modules, PortalConfig.objects.count())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.endswith("False 1\n"), done.stderr


def test_only_what_somebody_can_be_allowed_is_offered(db):
    """A permission that opens nothing makes a group's form longer, and whoever gives it believes that it does."""
    apps = Permission.objects.filter(content_type__app_label__in=("portal", "portal_keys"))
    assert set(apps.values_list("codename", flat=True)) == {
        *("add_portalconfig", "change_portalconfig", "delete_portalconfig", "view_portalconfig"),
        "preview_portalconfig",
        *("add_rootkey", "change_rootkey", "view_rootkey"),
        *("change_portalsession", "view_portalsession"),
        "view_portalevent",
        *("add_apikey", "change_apikey", "view_apikey"),
    }
