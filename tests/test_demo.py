"""``manage.py demo`` and the settings behind it, as people run them."""

from __future__ import annotations

import ast
import html
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.projects import ROOT, Project, copy_project, free_port, get, logged

BASH = shutil.which("bash") or "/bin/bash"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_project(tmp_path, DEBUG="1")


def rows(project: Project, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(project.folder / "db.sqlite3")) as connection:
        return connection.execute(query).fetchall()


def printed_key(output: str) -> str:
    (key,) = re.findall(r'-H "Authorization: Bearer (prk_[0-9A-Za-z]{43})"', output)
    return key


# The demo --------------------------------------------------------------------------------------------------------------


def test_preparing_twice_changes_two_secrets_and_nothing_else(project: Project) -> None:
    first = printed_key(project.manage("demo", "--prepare-only"))
    keys = rows(project, "SELECT public_id, name, enabled, expires_at FROM portal_keys_apikey")
    before = rows(project, "SELECT public_id, name FROM portal_rootkey")
    portals = rows(project, "SELECT * FROM portal_portalconfig")
    second = printed_key(project.manage("demo", "--prepare-only"))

    assert len(before) == len(portals) == 1
    assert rows(project, "SELECT public_id, name FROM portal_rootkey") == before
    assert rows(project, "SELECT * FROM portal_portalconfig") == portals
    assert rows(project, "SELECT public_id, name, enabled, expires_at FROM portal_keys_apikey") == keys
    assert rows(project, "SELECT count(*) FROM auth_user") == [(1,)]
    known = "from portal.authenticate import authenticate_root_key as find; print([find(k) and find(k).id for k in {}])"
    printed = project.manage("shell", "--no-imports", "-v0", "-c", known.format([first, second]))
    assert ast.literal_eval(printed) == [None, before[0][0]]


def test_preparing_repairs_a_disabled_portal(project: Project) -> None:
    project.manage("demo", "--prepare-only")
    with closing(sqlite3.connect(project.folder / "db.sqlite3")) as connection, connection:
        connection.execute("UPDATE portal_portalconfig SET enabled = 0")
    project.manage("demo", "--prepare-only")
    assert rows(project, "SELECT enabled FROM portal_portalconfig") == [(1,)]


def test_on_another_port_the_way_back_leads_there(project: Project) -> None:
    project.variables = {**project.variables, "PORTAL_BASE_URL": "https://elsewhere.example"}
    project.manage("demo", "--prepare-only")
    printed = project.manage("demo", "--prepare-only", "--port", "8123")
    assert "http://127.0.0.1:8123/my-portal/?session=pst_" in printed
    assert "elsewhere.example" not in printed
    assert rows(project, "SELECT return_url, return_origins FROM portal_portalconfig") == [
        ("http://127.0.0.1:8123/", '["http://127.0.0.1:8123"]')
    ]


def test_a_busy_port_is_named_before_the_running_demos_key_is_rotated(project: Project, port: int) -> None:
    project.manage("demo", "--prepare-only")
    before = rows(project, "SELECT key_hash FROM portal_rootkey")
    with closing(socket.create_server(("127.0.0.1", port))):
        done = project.run("manage.py", "demo", "--noreload", "--port", str(port))
    assert done.returncode == 1
    assert f"make demo PORT={port + 1}" in done.stderr
    assert rows(project, "SELECT key_hash FROM portal_rootkey") == before


def test_the_demo_needs_debug(project: Project) -> None:
    project.variables = {"SECRET_KEY": "x" * 50}
    done = project.run("manage.py", "demo", "--prepare-only")
    assert done.returncode == 1
    assert "DEBUG=1" in done.stderr
    # From Django 6.1 on a command's system checks open the database, which makes an empty file.
    assert rows(project, "SELECT name FROM sqlite_master") == []


def curl(command: str, **variables: str) -> Any:
    """Run a curl command as it is printed, in bash, and return its answer."""
    environment = {"PATH": os.environ["PATH"], "no_proxy": "127.0.0.1", **variables}
    done = subprocess.run(
        [BASH, "-c", command], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_printed_commands_work_as_they_are_printed(project: Project, port: int) -> None:
    with project.serving(port, "manage.py", "demo", "--port", str(port)) as output:
        printed = output.read_text()
        key = printed_key(printed)
        response, page = get(port, "/")
        assert response.status == 200
        assert key not in page
        on_page = html.unescape(re.search(r'<code id="curl">(.*?)</code>', page, re.DOTALL)[1])
        in_terminal = re.search(r"^  curl -X POST (?:.*\\\n)+.*$", printed, re.MULTILINE)[0]

        for command in (on_page, in_terminal):
            answer = curl(command, ROOT_KEY=key)
            assert set(answer) == {"meta", "data"}, answer
            data = answer["data"]
            assert set(data) == {"sessionId", "url"}
            url = urlsplit(data["url"])
            assert data["url"] == f"http://127.0.0.1:{port}/my-portal/?session={data['sessionId']}"
            assert get(port, f"{url.path}?{url.query}")[0].status == 200
        link = urlsplit(re.search(r"A portal link +(\S+)", printed)[1])
        landing = get(port, f"{link.path}?{link.query}")[0]
        assert landing.status == 200
        # For a browser's developer tools; the demo is for developers.
        assert "total;dur=" in landing.headers["Server-Timing"]

        minted = logged(output, r'"POST /v2/portal.createSession HTTP/1.1" (\d+)', 2)
        landed = logged(output, r'"GET (/my-portal/\S+) HTTP/1.1" (\d+)', 3)
    assert minted == ["200"] * 2
    assert landed == [("/my-portal/?session=***", "200")] * 3
    # The reloader's child served; it did not rotate the key that was just printed.
    assert len(re.findall("prk_", output.read_text())) == 1


# The product's API and the customer's keys -------------------------------------------------------------------------------


def printed_api_key(output: str) -> str:
    """Return the one API key that the demo prints."""
    (key,) = re.findall(r'-H "Authorization: Bearer (nw_live_[0-9A-Za-z]{49})"', output)
    assert output.count("nw_live_") == 1
    return key


def call(port: int, operation: str, body: dict[str, Any], bearer: str = "") -> Any:
    """Call the portal's API and return the data of its answer."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", f"/v2/portal.{operation}", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
    assert response.status == 200, answer
    return answer["data"]


def sign_in(port: int, printed: str) -> str:
    """Go in by the link that the demo prints, as an API client, and return the token."""
    code = re.search(r"A portal link +\S+session=(\S+)", printed)[1]
    return call(port, "exchangeSession", {"sessionId": code})["token"]


def tiles(port: int, key: str) -> tuple[int, Any]:
    response, text = get(port, "/api/tiles/", Authorization=f"Bearer {key}")
    return response.status, json.loads(text)


def test_a_key_from_the_portal_opens_the_products_api_until_it_is_revoked(project: Project, port: int) -> None:
    with project.serving(port, "manage.py", "demo", "--noreload", "--port", str(port)) as output:
        token = sign_in(port, output.read_text())
        made = call(port, "createKey", {"name": "My laptop"}, token)
        status, answer = tiles(port, made["key"])
        assert (status, answer["customer"], answer["key"]) == (200, "user_123", "My laptop")
        call(port, "deleteKey", {"keyId": made["keyId"]}, token)
        status, answer = tiles(port, made["key"])
        assert (status, answer["error"]["type"].rpartition("/")[2]) == (401, "key_not_found")


def test_a_key_without_the_permission_is_told_which(project: Project, port: int) -> None:
    with project.serving(port, "manage.py", "demo", "--noreload", "--port", str(port)) as output:
        token = sign_in(port, output.read_text())
        made = call(port, "createKey", {"name": "My laptop", "permissions": ["routes.read"]}, token)
        status, answer = tiles(port, made["key"])
        assert (status, answer["error"]["detail"]) == (403, "Missing permission: 'tiles.read'")
        assert get(port, "/api/tiles/")[0].status == 401


def test_the_printed_call_of_the_products_api_works_as_it_is_printed(project: Project, port: int) -> None:
    before = printed_api_key(project.manage("demo", "--prepare-only"))
    with project.serving(port, "manage.py", "demo", "--port", str(port)) as output:
        printed = output.read_text()
        key = printed_api_key(printed)
        on_page = html.unescape(re.search(r'<code id="curl-api">(.*?)</code>', get(port, "/")[1], re.DOTALL)[1])
        in_terminal = re.search(r"^  (curl http\S+/api/tiles/ .*)$", printed, re.MULTILINE)[1]
        for command in (on_page, in_terminal):
            assert curl(command, API_KEY=key)["key"] == "Quick start"
        assert tiles(port, before)[0] == 401
    # As a customer who tries things out may leave it.
    for change in ("enabled = 0", "locked = 1", "expires_at = '2020-01-01 00:00:00'", "revoked_at = created_at"):
        with closing(sqlite3.connect(project.folder / "db.sqlite3")) as connection, connection:
            where = "name = 'Quick start' AND revoked_at IS NULL"
            assert connection.execute(f"UPDATE portal_keys_apikey SET {change} WHERE {where}").rowcount == 1
        key = printed_api_key(project.manage("demo", "--prepare-only"))
        verified = (
            f"from portal.contrib.keys.verify import verify; print(verify({key!r}, permissions='tiles.read').valid)"
        )
        assert project.manage("shell", "--no-imports", "-v0", "-c", verified) == "True\n", change


def test_the_customer_has_keys_in_every_state(project: Project, port: int) -> None:
    with project.serving(port, "manage.py", "demo", "--noreload", "--port", str(port)) as output:
        token = sign_in(port, output.read_text())
        keys = {key["name"]: key for key in call(port, "listKeys", {}, token)}
        names = ["Production server", "Staging", "CI", "Partner import", "Old laptop"]
        assert list(keys) == ["Quick start", "Staging", "CI", "Partner import", "Old laptop", "Production server"]
        assert [name for name in names if not keys[name]["enabled"]] == ["Old laptop"]
        assert [name for name in names if "expires" not in keys[name]] == ["Production server"]
        week = (time.time() + 7 * 86400) * 1000
        assert [name for name in names if keys[name].get("expires", week) < week] == ["Partner import"]
        assert all(key["start"].startswith("nw_live_") for key in keys.values())
        assert all(keys[name]["lastUsedAt"] < time.time() * 1000 for name in names)
        # What the customer deletes, another start does not bring back.
        call(port, "deleteKey", {"keyId": keys["Staging"]["keyId"]}, token)
    rotated = "SELECT name FROM portal_keys_apikey k JOIN portal_keys_keysecret s ON s.key_id = k.id"
    assert rows(project, f"{rotated} WHERE s.ends_at > datetime('now')") == [("CI",)]
    project.manage("demo", "--prepare-only")
    assert rows(project, "SELECT count(*) FROM portal_keys_apikey WHERE revoked_at IS NULL") == [(5,)]


# Settings --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variables", [{}, {"DEBUG": "off"}, {"DEBUG": "off", "SECRET_KEY": ""}], ids=str)
def test_without_a_secret_key_nothing_starts(project: Project, variables: dict[str, str]) -> None:
    project.variables = variables
    done = project.run("manage.py", "check")
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr.strip().splitlines()[-1]


def test_the_example_names_every_variable_that_settings_read() -> None:
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    calls = (
        node for node in ast.walk(ast.parse((ROOT / "config/settings.py").read_text())) if isinstance(node, ast.Call)
    )
    read = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "env" and call.args
    }
    assert {"SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASE_URL", "CACHE_URL", "PORTAL_BASE_URL"} <= read
    assert example == read


def test_the_example_is_a_working_env_file(project: Project) -> None:
    shutil.copy(ROOT / ".env.example", project.folder / ".env")
    project.variables = {"SECRET_KEY": "x" * 50}
    script = "from config import settings as s; print([s.DEBUG, s.ALLOWED_HOSTS, s.PORTAL])"
    done = project.run("-c", script)
    assert ast.literal_eval(done.stdout) == [False, ["127.0.0.1", "localhost"], {"BASE_URL": None}]
