"""The headers of every page (design decision 11; security rows 30 to 34), and pages where things go wrong."""

from __future__ import annotations

import re

import pytest
from django.db import OperationalError

from tests.factories import mint
from tests.pages.flow import enter, heading, open_link

pytestmark = pytest.mark.django_db

PATHS = ["/my-portal/", "/my-portal/session/", "/my-portal/signed-out/", "/my-portal/enter/", "/no-such-portal/"]
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@pytest.mark.parametrize("path", PATHS)
def test_rows_31_33_and_34_every_page(client, config, path):
    answer = client.get(path)
    assert answer["Content-Security-Policy"] == CSP
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["Permissions-Policy"].startswith("camera=()")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert re.fullmatch(r"req_[0-9A-Za-z]{16}", answer["X-Request-Id"])


def test_row_31_redirects_are_not_kept_either(client, config):
    enter(client, mint(config).secret)
    answer = client.get("/my-portal/")
    assert (answer.status_code, answer["Cache-Control"]) == (303, "no-store, private")


def test_row_30_while_a_code_is_in_the_address(client, config):
    for code in (mint(config).secret, "dead"):
        assert open_link(client, code)["Referrer-Policy"] == "strict-origin"
    assert client.get("/my-portal/", {"code": "dead"})["Referrer-Policy"] == "strict-origin"


def test_row_33_no_inline_script_or_style_anywhere(client, config):
    pages = [client.get(path) for path in PATHS] + [open_link(client, mint(config).secret)]
    enter(client, mint(config).secret)
    pages.append(client.get("/my-portal/session/"))
    for page in pages:
        html = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
        assert not re.search(r"<script(?![^>]*\ssrc=)", html)
        assert "//" not in re.sub(r'href="https://app\.example\.com/[^"]*"', "", html)


def test_row_34_frame_ancestors_per_portal(client, config):
    config.frame_ancestors = ["https://app.example.com", "https://other.example.com:8443"]
    config.save()
    answer = client.get("/my-portal/")
    assert (
        "frame-ancestors https://app.example.com https://other.example.com:8443;" in answer["Content-Security-Policy"]
    )
    assert "X-Frame-Options" not in answer


def test_static_files_on_another_host_are_allowed(client, config, settings):
    settings.STATIC_URL = "https://static.example.com/assets/"
    policy = client.get("/my-portal/")["Content-Security-Policy"]
    assert "style-src 'self' https://static.example.com;" in policy
    assert "script-src 'self' https://static.example.com;" in policy


def test_row_37_a_logos_host_is_allowed_for_images_only(client, config):
    config.logo_url = "https://cdn.example.com/logo.png"
    config.save()
    policy = client.get("/my-portal/")["Content-Security-Policy"]
    assert "img-src 'self' https://cdn.example.com;" in policy
    assert policy.count("cdn.example.com") == 1


def test_coop_on_https_only(client, config, settings):
    settings.PORTAL = {}
    settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = None
    assert "Cross-Origin-Opener-Policy" not in client.get("/my-portal/")
    assert client.get("/my-portal/", secure=True)["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace", "post"])
def test_other_methods_are_405(client, config, method):
    answer = getattr(client, method)("/my-portal/session/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert heading(answer) == "That didn’t work"
    assert answer["Content-Security-Policy"] == CSP


def test_f4_503_needs_no_database(client, config, database_away):
    with database_away(OperationalError("gone")):
        answer = client.get("/my-portal/session/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert heading(answer) == "The portal is being updated"
    assert b"gone" not in answer.content


def test_500_gives_a_request_id_and_nothing_else(client, config, database_away, caplog):
    with database_away(RuntimeError("secret inside")):
        answer = client.get("/my-portal/session/")
    assert answer.status_code == 500
    assert answer["X-Request-Id"] in answer.content.decode()
    assert b"secret inside" not in answer.content
    assert "secret inside" in caplog.text


def test_a_form_that_cannot_be_read_is_a_page(client, config, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    open_link(client, mint(config).secret)
    answer = client.post("/my-portal/enter/", {"a": 1, "b": 2, "c": 3})
    assert answer.status_code == 400
    assert heading(answer) == "That didn’t work"


def test_a_foreign_host_is_djangos_to_refuse(client, config, settings):
    settings.MIDDLEWARE = []
    settings.PORTAL = {}
    answer = client.get("/my-portal/", headers={"Host": "evil.example"})
    assert b"evil.example" not in answer.content
