"""The integration guide: each block of code runs as the page shows it, with the root key and nothing else."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from html import unescape
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import path

from portal.models import PortalSession
from portal.testing import PortalClient
from tests.admin.rows import staff, text
from tests.factories import PortalConfigFactory, issue_root_key
from tests.hosts import full


def url(config):
    return f"/admin/portal/portalconfig/{config.pk}/guide/"


def blocks(response):
    """Return the page's code by name, as somebody would copy it."""
    found = re.findall(
        r'<pre [^>]*aria-labelledby="(\w+)"><code>(.*?)</code></pre>', response.content.decode(), re.DOTALL
    )
    return {name: unescape(code) for name, code in found}


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: the guide's code for it cannot be proved. Install it.", pytrace=False)
    return found


@pytest.fixture
def guided(live_server, operator, settings):
    """Return a portal that the live server serves, and the code of its guide."""
    settings.PORTAL = {**settings.PORTAL, "BASE_URL": live_server.url}
    config = PortalConfigFactory(slug="guided-portal")
    return SimpleNamespace(config=config, blocks=blocks(operator.get(url(config))), key=issue_root_key().secret)


def run(command, key):
    return subprocess.run(command, env={"ROOT_KEY": key}, capture_output=True, text=True, timeout=60, check=False)


def output_of(command, guided):
    done = run(command, guided.key)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def assert_link_works(link, live_server, external_id):
    assert link.startswith(f"{live_server.url}/guided-portal/?session=pst_")
    browser = PortalClient()
    browser.follow(link)
    session = browser.portal_session
    assert (session.external_id, session.permissions) == (external_id, ("keys:read", "keys:create"))


def link_in(output):
    found = re.search(r"https?://[^\s\"']+\?session=pst_\w+", output)
    assert found, output
    return found[0]


def test_curl(guided, live_server, tmp_path):
    script = tmp_path / "create-session.sh"
    script.write_text(guided.blocks["curl"])
    assert "Referrer-Policy: strict-origin" in guided.blocks["curl"]
    program("curl")
    assert_link_works(link_in(output_of([program("bash"), str(script)], guided)), live_server, "user_123")


def test_python(guided, live_server, tmp_path):
    script = tmp_path / "create_session.py"
    script.write_text(guided.blocks["python"])
    output = output_of([sys.executable, "-I", "-W", "error", str(script)], guided)
    assert "303" in output
    assert "'Referrer-Policy': 'strict-origin'" in output
    assert_link_works(link_in(output), live_server, "user_123")


def test_typescript(guided, live_server, tmp_path):
    script = tmp_path / "create-session.mjs"
    script.write_text(guided.blocks["typescript"])
    output = output_of([program("node"), str(script)], guided)
    assert re.search(r"'?referrer-policy'?: 'strict-origin'", output, re.IGNORECASE), output
    assert_link_works(link_in(output), live_server, "user_123")


@pytest.mark.parametrize(("name", "runs"), [("python", "python3"), ("typescript", "node"), ("curl", "bash")])
def test_a_wrong_key_is_an_error_and_not_a_redirect(guided, tmp_path, name, runs):
    script = tmp_path / "script.mjs"
    script.write_text(guided.blocks[name])
    done = run([program(runs), str(script)], "prk_x")
    assert done.returncode != 0
    assert "401" in done.stderr


def test_django(guided, live_server, tmp_path, settings, django_user_model):
    module = tmp_path / "views.py"
    module.write_text(guided.blocks["django"])
    spec = importlib.util.spec_from_file_location("guided_views", module)
    views = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(views)
    views.urlpatterns = [path("keys/", views.manage_keys), *full.urlpatterns]
    settings.ROOT_URLCONF = views
    user = django_user_model.objects.create_user("grace")
    product = Client()
    assert product.post("/keys/").headers["Location"].startswith("/accounts/login/")
    product.force_login(user)
    assert product.get("/keys/").status_code == 405
    answer = product.post("/keys/")
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert_link_works(answer.headers["Location"], live_server, str(user.pk))
    assert PortalSession.objects.get().display_name == "grace"


@pytest.mark.django_db
def test_what_the_page_says_beside_the_code(operator, config, settings):
    settings.PORTAL = {"BASE_URL": "https://portal.example.com:8443/customers"}
    page = operator.get(url(config))
    words = text(page)
    assert "Referrer-Policy: strict-origin" in words
    assert "form-action 'self' https://portal.example.com:8443" in words
    assert "the origins that this portal lists: https://app.example.com ." in words
    code = blocks(page)
    assert list(code) == ["curl", "python", "typescript", "django"]
    for name in ("curl", "python", "typescript"):
        assert "https://portal.example.com:8443/customers/v2/portal.createSession" in code[name]
    assert all("my-portal" in text_of for text_of in code.values())
    config.return_origins, config.return_url = [], ""
    config.save()
    assert "Add your product's origin" in text(operator.get(url(config)))


@pytest.mark.django_db
def test_an_address_with_quotes_stays_one_text(operator, config, settings):
    settings.PORTAL = {"BASE_URL": "https://example.com/it's\"<b>"}
    page = operator.get(url(config))
    code = blocks(page)
    assert "<b>" not in page.content.decode().partition("<pre")[2]
    compile(code["python"], "guide", "exec")
    assert "'https://example.com/it'\"'\"'s\"<b>/v2/portal.createSession'" in code["curl"]


@pytest.mark.django_db
def test_without_an_address(operator, config, settings):
    settings.PORTAL = {}
    page = operator.get(url(config))
    assert 'Set PORTAL["BASE_URL"]' in text(page)
    assert blocks(page) == {}


@pytest.mark.django_db
def test_whoever_may_look_at_portals_may_read_it(config, django_user_model):
    assert blocks(staff("view_portalconfig").get(url(config)))
    django_user_model.objects.all().delete()
    assert staff("view_rootkey").get(url(config)).status_code == 403
