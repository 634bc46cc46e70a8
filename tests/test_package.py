"""What is released: the same bytes from the same source, with everything in it, working where nothing else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import portal

ROOT = Path(portal.__file__).parent.parent
EPOCH = "1790000000"


def build(folder: Path) -> tuple[Path, Path]:
    """Build into ``folder`` and return the wheel and the sdist."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("dist"))


def source(*folders: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache", ".ruff_cache", "node_modules"} & {*path.parts}
    }


def test_two_builds_are_byte_equal(built, tmp_path):
    for first, second in zip(built, build(tmp_path), strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


def test_the_wheel_holds_the_app_and_nothing_else(built):
    names = set(zipfile.ZipFile(built[0]).namelist())
    assert {name for name in names if not name.split("/")[0].endswith(".dist-info")} == source("portal")
    assert "portal/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_needs_django_and_rest_framework_alone(built):
    with zipfile.ZipFile(built[0]) as wheel:
        (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
        lines = wheel.read(metadata).decode().splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert needed == ["Requires-Dist: django>=5.2", "Requires-Dist: djangorestframework>=3.16"]
    assert f"Version: {portal.__version__}" in lines
    assert "Requires-Python: >=3.11" in lines


def test_the_sdist_holds_the_source_its_tests_and_its_docs(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    single = {"manage.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "CONTRIBUTING.md"}
    single |= {"Makefile", "constraints.txt", ".env.example", "gunicorn.conf.py", "noxfile.py"}
    assert names == source("portal", "tests", "bench", "config", "templates", "static", "docs") | single | {
        "PKG-INFO",
        ".gitignore",
    }


URLS = """
from django.urls import include, path
urlpatterns = [path("customers/", include({module!r}))]
"""

SETTINGS = """
from startproject_settings import *
INSTALLED_APPS = [app for app in INSTALLED_APPS if {admin} or app != "django.contrib.admin"] + ["portal"]
ROOT_URLCONF = "urls"
PORTAL = {{"BASE_URL": "http://testserver/customers"}}
ALLOWED_HOSTS = ["testserver"]
"""

WALK = """
import json, re, sys
import django
django.setup()
from django.core.management import call_command
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
import portal
from portal.models import PortalConfig, RootKey
from portal.shortcuts import create_portal_url
from django.test import Client
PortalConfig(slug="my-portal", display_name="Mine").save()
client, found = Client(), {"file": portal.__file__}
link = create_portal_url("my-portal", "user_123", ["keys:read"])
found["landing"] = client.get(link).status_code
key = RootKey.objects.issue("Backend").secret
body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
answer = client.post("/customers/v2/portal.createSession", body, content_type="application/json",
                     headers={"Authorization": f"Bearer {key}"})
found["mint"] = answer.status_code
found["ready"] = client.get("/customers/health/ready").status_code
found["admin"] = client.get("/admin/").status_code
json.dump(found, sys.stdout)
"""


@pytest.mark.parametrize(
    ("module", "admin", "landing", "mint"),
    [
        ("portal.urls", True, 200, 200),
        ("portal.urls", False, 200, 200),
        ("portal.api.urls", False, 404, 200),
        ("portal.pages.urls", False, 200, 404),
    ],
)
def test_installed_into_an_empty_project(built, tmp_path, module, admin, landing, mint):
    with zipfile.ZipFile(built[0]) as wheel:
        wheel.extractall(tmp_path / "site")
    project = tmp_path / "project"
    project.mkdir()
    run = [sys.executable, "-W", "error", "-m", "django", "startproject", "fresh", str(project)]
    subprocess.run(run, check=True, capture_output=True, timeout=60)
    (project / "fresh" / "settings.py").rename(project / "startproject_settings.py")
    (project / "settings.py").write_text(SETTINGS.format(admin=admin))
    (project / "urls.py").write_text(URLS.format(module=module))
    # The unpacked wheel comes before everything that is installed.
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{project}{os.pathsep}{tmp_path / 'site'}",
        "DJANGO_SETTINGS_MODULE": "settings",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WALK],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert Path(found.pop("file")).is_relative_to(tmp_path / "site")
    assert found == {"landing": landing, "mint": mint, "ready": 200, "admin": 404}
