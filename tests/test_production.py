"""The demo in production form: gunicorn, DEBUG off, collected static files."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import closing
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

import pytest

from tests.projects import Project, copy_project, free_port, get, logged


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_project(tmp_path, SECRET_KEY="x" * 50)


def download(port: int, path: str, encoding: str) -> tuple[HTTPMessage, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path, headers={"Accept-Encoding": encoding})
        response = connection.getresponse()
        return response.headers, response.read()


def test_pages_and_hashed_assets_are_served_and_no_code_is_logged(project: Project, port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    project.variables["PORTAL_BASE_URL"] = base
    project.manage("collectstatic", "--no-input", "-v0")
    project.manage("migrate", "-v0")
    project.manage("portal_create_portal", "my-portal", "--return-origin", "https://app.example.com")
    link = json.loads(project.manage("portal_open", "my-portal", "user_123", "--json"))["url"]
    assert link.startswith(f"{base}/my-portal/?session=pst_")
    code = link.partition("=")[2]

    with project.serving(port, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}") as output:
        response, page = get(port, f"/my-portal/?session={code}", Referer=f"{base}/?code={code}&x=1")
        assert response.status == 200
        assert code in page
        assert get(port, f"/my-portal/?code={code}", Referer=link)[0].status == 200
        (sheet,) = re.findall(r'<link rel="stylesheet" href="(/static/portal/portal\.[0-9a-f]{12}\.css)">', page)
        asset, css = get(port, sheet, Referer=link)
        assert asset.status == 200
        assert asset.headers.get_content_type() == "text/css"
        assert "immutable" in asset.headers["Cache-Control"]
        assert "{" in css
        # Each file of the page has a hash in its name and was compressed beforehand. How long the page took, nobody learns.
        assert "Server-Timing" not in response.headers
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert len(files) == 3
        for file in files:
            assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", file)
            headers, packed = download(port, file, "gzip, br")
            assert headers["Cache-Control"] == "max-age=315360000, public, immutable"
            assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
            assert gzip.decompress(packed) == download(port, file, "identity")[1]
        # A Host that is not ours, and a Referer in which the whole link is a parameter, percent-encoded.
        refused, _ = get(port, "/my-portal/", Host="evil.example", Referer=f"{base}/?next=%3Fsession%3D{code}")
        assert refused.status == 400
        # One that Django's request class cannot take, so that the server itself reports it.
        get(port, f"/broken/?session={code}", **{"Content-Type": "text/plain; charset*=x'y'%41"})
        broken = logged(output, r"GET (/broken/\S*)", 1)
        lines = logged(output, r'"GET (/[ms]\S+) HTTP/1.1" (\d+) \d+ "(http[^"]*)"', 4)

    assert lines == [
        ("/my-portal/", "400", f"{base}/?next=%3Fsession%3Dpst_***"),
        ("/my-portal/?code=***", "200", f"{base}/my-portal/?session=***"),
        ("/my-portal/?session=***", "200", f"{base}/?code=***&x=1"),
        (sheet, "200", f"{base}/my-portal/?session=***"),
    ]
    assert set(broken) == {"/broken/?session=***"}
    assert code.removeprefix("pst_")[:12] not in output.read_text()


def test_row_47_the_production_settings_pass_every_check(project: Project) -> None:
    project.variables |= {
        "PORTAL_BASE_URL": "https://portal.example.com",
        "ALLOWED_HOSTS": "portal.example.com",
        "CACHE_URL": "redis://127.0.0.1:6379/0",
        "SECRET_KEY": "gW3kM9x-Qv7LzN2pR8tYbC4dF6hJ1sA5uE0iO_wXqZmKnBvT8fDy",
    }
    project.manage("collectstatic", "--no-input", "-v0")
    assert "no issues" in project.manage("check", "--deploy", "--fail-level", "INFO")
    # A check that can fail: with a cache of each process's own, limits do not hold.
    del project.variables["CACHE_URL"]
    assert "portal.W104" in project.run("manage.py", "check", "--deploy").stderr


def test_the_switch_for_limits(project: Project) -> None:
    show = "from portal.conf import portal_settings; print(portal_settings.THROTTLE_RATES['failed'])"
    assert project.manage("shell", "-v0", "-c", show).strip() == "60/min"
    project.variables["PORTAL_THROTTLE"] = "off"
    assert project.manage("shell", "-v0", "-c", show).strip() == "None"
