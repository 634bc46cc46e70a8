"""A secret is shown once, in the answer that made it, and is nowhere else (ui-spec 2.4, Reveal once; rows 28 and 35)."""

from __future__ import annotations

import copy
import logging
import re

import pytest
from django.db import connection
from django.views.debug import ExceptionReporter

from portal import tokens
from portal.keystore import get_key_store
from portal.models import PortalEvent
from tests.factories import sign_in
from tests.pages.flow import heading
from tests.pages.key_flow import WithoutGrace, send, stored, texts, use_store
from tests.pages.shelf import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store", "signed_in")]

NEW = "/my-portal/keys/new/"


def secret_in(answer):
    """Return what stands in the output element, as a browser would copy it."""
    (found,) = re.findall(r"<output [^>]*>(.*?)</output>", answer.content.decode(), re.DOTALL)
    return found


def created(client, **values):
    answer = send(client, NEW, name="Billing <worker>", **values)
    assert answer.status_code == 200
    return answer


def test_the_secret_is_the_keys_own(client, config):
    secret = secret_in(created(client))
    assert tokens.is_api_key(secret)
    (key,) = stored(config)
    assert tokens.api_key_start(secret) == key.start


def test_the_page_in_its_order(client, config):
    config.api_url = "https://api.example.com/v1?a=1&b=2"
    config.save()
    answer = created(client)
    (key,) = stored(config)
    html = texts(answer)
    assert heading(answer) == "Copy your new key now"
    assert "<title>Copy your new key – Northwind Maps</title>" in html
    order = [
        "Key created",
        "Copy your new key now</h1>",
        "This is the only time it is shown.",
        "Secret key for “<bdi>Billing <worker></bdi>”",
        "<output",
        "Copy key",
        "Starts with",
        "How to use it",
        "I’ve saved it, go to my keys",
    ]
    places = [html.index(words, html.index("<main")) for words in order]
    assert places == sorted(places)
    assert re.search(r'<output id="secret" tabindex="0" aria-labelledby="secret-label" translate="no" dir="ltr"', html)
    # Without the script there is no button that cannot work.
    assert re.search(r'<button class="btn main" type="button" hidden data-copy="secret" data-done="Copied"', html)
    assert "The key is not printed." in html
    assert f"{key.start}••••" in html
    assert 'curl "https://api.example.com/v1?a=1&b=2" \\\n  -H "Authorization: Bearer $API_KEY"' in html
    assert "The old secret" not in html
    assert "Lost it? Rotate the key to get a new one." in html


def test_without_an_address_of_the_api_there_is_the_header(client):
    html = texts(created(client))
    assert "curl" not in html
    assert "Authorization: Bearer $API_KEY" in html


def test_the_end_and_the_permissions(client, config):
    config.key_permissions, config.key_never_expires = ["maps.read"], True
    config.save()
    html = texts(created(client, expires="never", permissions=["maps.read"]))
    facts = html[html.index('<dl class="card facts">') : html.index("</dl>")]
    assert "<dd>Never</dd>" in facts
    assert "maps.read" in facts


def test_after_a_rotation_it_says_how_long_the_old_key_works(client, config):
    key = put(config, "Production server")
    html = texts(send(client, f"/my-portal/keys/{key.id}/rotate/", grace="3600"))
    (now,) = stored(config)
    until = f'<time datetime="{now.old_secret.ends_at:%Y-%m-%dT%H:%M:%SZ}"'
    assert "Key rotated" in html
    assert re.search(
        rf">{re.escape(key.start)}••••</code>\) keeps working until <strong>{re.escape(until)}.*?</strong>\.", html
    )
    assert f"{now.start}••••" in html


def test_after_a_rotation_at_once_the_old_key_is_over(client, config, settings):
    key = put(config, "Production server")
    html = texts(send(client, f"/my-portal/keys/{key.id}/rotate/", grace="0"))
    assert f">{key.start}••••</code>) stopped working." in html
    use_store(settings, WithoutGrace)
    key = put(config, "Production server")
    assert ") stopped working." in texts(send(client, f"/my-portal/keys/{key.id}/rotate/"))


def test_who_cannot_rotate_is_not_told_to(client, config):
    client.cookies["portal_session"] = sign_in(config, granted=["keys:create"]).secret
    assert "Lost it?" not in texts(created(client))


def test_saved_leads_to_the_keys(client, config):
    html = texts(created(client))
    (path,) = re.findall(r'action="(/my-portal/keys/[^"]*/saved/)" data-saved', html)
    answer = client.post(path)
    assert (answer.status_code, answer["Location"]) == (303, "/my-portal/keys/")
    # A cookie that is set keeps the secret out of the back-forward cache.
    assert answer.cookies["portal_return"]["httponly"]
    assert client.get(path).status_code == 405
    client.cookies.clear()
    assert client.post(path).status_code == 303


def test_row_28_the_secret_is_in_the_answer_and_nowhere_else(client, config, caplog):
    caplog.set_level(logging.DEBUG)
    answer = created(client)
    secret = secret_in(answer)
    assert answer.content.decode().count(secret) == 1
    assert "no-store" in answer["Cache-Control"]
    headers = " ".join(f"{name}: {value}" for name, value in answer.items())
    assert secret not in headers + answer.cookies.output() + caplog.text
    assert secret not in "".join(str(vars(record)) for record in caplog.records)
    assert secret not in str([(event.detail, event.actor_id) for event in PortalEvent.objects.all()])
    for page in ("/my-portal/keys/", f"/my-portal/keys/{stored(config)[0].id}/", NEW):
        assert secret not in client.get(page).content.decode()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert secret not in str(cursor.fetchall()), table


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("elements/facts.html", "{{ slot }}{% include 'no/such.html' %}"),
        # A host's own; the filter's frame holds what it was given.
        ("reveal.html", "{{ secret|random }}"),
    ],
)
def test_row_28_a_page_that_fails_tells_no_log_the_secret(client, settings, tmp_path, caplog, template, text):
    """The key is made and its page cannot be rendered; what is mailed to ADMINS must not hold the secret."""
    settings.TEMPLATES = copy.deepcopy(settings.TEMPLATES)
    settings.TEMPLATES[0]["DIRS"] = [tmp_path]
    (tmp_path / "portal" / "elements").mkdir(parents=True)
    (tmp_path / "portal" / template).write_text(text)
    made = []
    store = get_key_store().store
    create_key = store.create_key

    def remembered(*args, **options):
        made.append(create_key(*args, **options))
        return made[-1]

    store.create_key = remembered
    try:
        answer = send(client, NEW, name="Production server")
    finally:
        del store.create_key
    assert answer.status_code == 500
    secret = made[0].secret
    errors = [record for record in caplog.records if record.exc_info]
    assert errors
    for record in errors:
        report = ExceptionReporter(None, *record.exc_info)
        assert secret not in report.get_traceback_html() + report.get_traceback_text()
    assert secret not in answer.content.decode() + caplog.text


def test_row_35_a_name_is_text(client):
    html = send(client, NEW, name='"><img src=x onerror=alert(1)>').content.decode()
    assert "<img src=x" not in html
