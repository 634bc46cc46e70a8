"""The pages about the API's errors, as they are served (design decision 3)."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.test import Client, override_settings

from portal.error_docs import DOCS
from portal.errors import CATALOGUE
from portal.models import PortalConfig
from tests.pages.flow import heading
from tests.pages.pseudo import pseudo_languages
from tests.provocations import provoke

SHOWN = "unkey/authentication/portal_token_missing"
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


def text_of(answer):
    """Return the words of the page's article."""
    html = re.search(r"<article.*</article>", answer.content.decode(), re.DOTALL)[0]
    return unescape(re.sub(r"<[^>]+>", "", html))


def links(answer):
    return re.findall(r'<a href="([^"]+)"', answer.content.decode())


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_page_says_what_the_documentation_says(client, code):
    answer = client.get(f"/errors/{code}")
    doc, words = DOCS[code], text_of(answer)
    assert answer.status_code == 200
    assert heading(answer) == doc.title
    assert f"<title>{doc.title}</title>" in answer.content.decode()
    assert f"{doc.name} {doc.status}" in words
    assert doc.curl in words
    for text in (doc.call, doc.happened, *doc.causes, doc.fix, *doc.mistakes, *doc.values.values()):
        assert text.replace("`", "") in words
    assert {f"/errors/{error.code}" for error in doc.related} <= set(links(answer))
    assert "/errors/" in links(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/errors/", f"/errors/{SHOWN}", "/errors/nothing"])
def test_no_page_asks_the_database(client, django_assert_num_queries, path):
    client.cookies["portal_session"] = "pat_" + "0" * 43
    with django_assert_num_queries(0):
        client.get(path)


@pytest.mark.django_db
def test_pages_come_while_the_database_is_away(client, database_away):
    with database_away(OperationalError):
        assert client.get("/my-portal/").status_code == 503
        assert heading(client.get(f"/errors/{SHOWN}")) == DOCS[SHOWN].title


def test_within_atomic_requests_no_connection_is_opened(client, monkeypatch):
    # Without the mark django_db opening one is an error.
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert client.get("/errors/").status_code == 200
    assert client.get(f"/errors/{SHOWN}").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("code", CATALOGUE)
def test_the_type_of_every_error_leads_to_its_page(client, code):
    base = "http://testserver"
    refused = provoke(code, BASE_URL=base, ERROR_DOCS_URL=f"{base}/errors")
    page = urlsplit(refused.json()["error"]["type"])
    assert f"{page.scheme}://{page.netloc}" == base
    answer = client.get(page.path)
    assert answer.status_code == 200
    assert DOCS[code].name in text_of(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["portal/request/unknown_operation", SHOWN])
@pytest.mark.parametrize(
    "portal",
    [
        {},
        {"BASE_URL": None},
        {"BASE_URL": "https://example.com/portal/", "ERROR_DOCS_URL": "https://example.com/portal/errors/"},
    ],
    ids=["default", "no BASE_URL", "own pages"],
)
def test_the_example_is_what_this_portal_answers(client, settings, code, portal):
    live = provoke(code, **portal).json()
    settings.PORTAL = {"BASE_URL": "https://portal.example.com", **portal}
    html = client.get(f"/errors/{code}").content.decode()
    shown = json.loads(unescape(re.search(r"^\{.*?^\}", html, re.DOTALL | re.MULTILINE)[0]))
    assert shown == {**live, "meta": shown["meta"]}


def test_the_index_leads_to_every_page(client):
    answer = client.get("/errors/")
    assert answer.status_code == 200
    assert heading(answer) == "Errors"
    assert [link for link in links(answer) if link != "#main"] == [f"/errors/{code}" for code in DOCS]


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "unkey",
        "unkey/",
        f"{SHOWN}/",
        SHOWN.upper(),
        "..%2F..%2Fetc",
        "<script>",
        "enter/",
        "x" * 5000,
    ],
)
def test_an_unknown_code_is_404_with_the_list_and_not_repeated(client, path):
    answer = client.get(f"/errors/{path}")
    assert answer.status_code == 404
    assert heading(answer) == "No such error"
    assert {f"/errors/{code}" for code in DOCS} <= set(links(answer))
    assert "<script>" not in answer.content.decode()
    assert "x" * 100 not in answer.content.decode()


@pytest.mark.parametrize("path", ["/errors/", f"/errors/{SHOWN}", "/errors/nothing"])
def test_head_answers_like_get(client, path):
    get, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert {name for name, _ in head.items()} == {name for name, _ in get.items()}


@pytest.mark.parametrize("path", ["/errors/", f"/errors/{SHOWN}"])
def test_a_browser_keeps_a_page_and_asks_whether_it_still_holds(client, settings, path):
    first = client.get(path)
    assert first["Cache-Control"] == "no-cache, private"
    kept = {"If-None-Match": first["ETag"]}
    for again in (client.get(path, headers=kept), client.head(path, headers=kept)):
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert again["Cache-Control"] == "no-cache, private"
    # The next deployment has its files elsewhere.
    settings.STATIC_URL = "/other/"
    anew = client.get(path, headers=kept)
    assert (anew.status_code, b"/other/portal/portal.css" in anew.content) == (200, True)


def test_what_is_no_page_is_not_kept(client):
    for answer in (client.get("/errors/nothing"), client.post("/errors/")):
        assert answer["Cache-Control"] == "no-store, private"
        assert "ETag" not in answer


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_are_405_also_with_csrf_checks(method):
    answer = getattr(Client(enforce_csrf_checks=True), method)(f"/errors/{SHOWN}")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert heading(answer) == "That didn’t work"


@pytest.mark.parametrize("path", ["/errors/", f"/errors/{SHOWN}", "/errors/nothing"])
def test_the_headers_of_every_page(client, path):
    answer = client.get(path)
    assert answer["Content-Security-Policy"] == CSP
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Request-Id"].startswith("req_")
    html = answer.content.decode()
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", html)


def test_no_login_is_needed(client, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert client.get(f"/errors/{SHOWN}").status_code == 200
    assert client.get("/errors/").status_code == 200


@pytest.mark.parametrize("language", ["de", "ar", "en"])
def test_the_words_are_english_and_say_so(client, language):
    with pseudo_languages():
        answer = client.get(f"/errors/{SHOWN}", headers={"Accept-Language": language})
    html = answer.content.decode()
    assert '<html lang="en" dir="ltr">' in html
    assert 'lang="en" dir="ltr">' in re.search(r"<article[^>]*>", html)[0]
    assert answer["Content-Language"] == "en"
    assert "⟦" not in html


def test_a_host_without_english_still_marks_the_texts(client):
    with override_settings(LANGUAGES=[("ar", "Arabic")], LANGUAGE_CODE="ar"), pseudo_languages():
        html = client.get(f"/errors/{SHOWN}").content.decode()
    assert '<html lang="ar" dir="rtl">' in html
    assert 'lang="en" dir="ltr">' in re.search(r"<article[^>]*>", html)[0]


def test_under_a_prefix_and_without_an_api(client, settings):
    settings.ROOT_URLCONF = "tests.hosts.pages_only"
    answer = client.get(f"/customers/errors/{SHOWN}")
    assert answer.status_code == 200
    assert "/customers/errors/unkey/authentication/missing" in links(answer)
    assert client.get("/customers/errors/").status_code == 200


@pytest.mark.django_db
def test_errors_is_no_portal():
    with pytest.raises(ValidationError, match="reserved"):
        PortalConfig(slug="errors").full_clean()
