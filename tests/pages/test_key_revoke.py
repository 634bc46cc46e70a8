"""Revoking a key (ui-spec 2.4, Revoke): not by accident, and for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.models import PortalEvent
from tests.pages.flow import heading
from tests.pages.key_flow import form_of, send, stored, texts
from tests.pages.shelf import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store", "signed_in")]


def revoke(key):
    return f"/my-portal/keys/{key.id}/revoke/"


def test_the_page_says_what_revoking_means(client, config):
    key = put(config, "Production <server>", used=timedelta(hours=2))
    answer = client.get(revoke(key))
    html = texts(answer)
    assert (answer.status_code, heading(answer)) == (200, "Revoke Production <server>?")
    assert "<title>Revoke Production <server> – Northwind Maps</title>" in html
    assert "Requests with this key are refused as soon as you revoke it. This can’t be undone." in html
    assert f"{key.start}••••" in html
    assert "2 hours ago" in html
    assert "<strong>This key was used" not in html
    # What keeps the key comes after what ends it, in the colors of danger and not of the brand; nothing has the focus.
    assert html.index('<button class="btn danger"') < html.index("Keep key")
    assert 'class="btn main"' not in html
    assert "autofocus" not in html
    assert "understood" not in form_of(answer)


def test_a_key_in_use_is_said_first(client, config):
    key = put(config, "Production server", used=timedelta(minutes=7))
    html = texts(client.get(revoke(key)))
    used = html.index("<strong>This key was used 7 minutes ago.</strong>")
    assert used < html.index("Requests with this key are refused")


def test_a_key_that_was_never_used(client, config):
    assert "<dt>Last used</dt>\n<dd>Never</dd>" in texts(client.get(revoke(put(config, "Production server"))))


def test_nothing_is_revoked_without_the_tick(client, config):
    key = put(config, "Production server")
    answer = send(client, revoke(key))
    html = texts(answer)
    assert answer.status_code == 422
    assert "<title>Error: Revoke Production server – Northwind Maps</title>" in html
    assert '<a href="#id_understood">Tick the box to confirm</a>' in html
    assert 'id="id_understood_error">Tick the box to confirm</p>' in html
    assert 'aria-describedby="id_understood_error"' in html
    assert stored(config) == [key]


@pytest.mark.parametrize(
    "values", [{}, {"enabled": False}, {"ends": timedelta(days=-3)}, {"grace": timedelta(hours=3)}]
)
def test_a_revoked_key_is_gone_and_the_list_says_so_once(client, config, values):
    key, other = put(config, "Billing <worker>", **values), put(config, "Other")
    answer = send(client, revoke(key), understood="on")
    assert (answer.status_code, answer["Location"]) == (303, "/my-portal/keys/")
    assert stored(config) == [other]
    assert "“<bdi>Billing <worker></bdi>” was revoked." in texts(client.get("/my-portal/keys/"))
    assert "was revoked" not in texts(client.get("/my-portal/keys/"))
    assert PortalEvent.objects.get(kind=PortalEvent.Kind.KEY_REVOKED).detail["key_id"] == key.id
    assert client.get(f"/my-portal/keys/{key.id}/").status_code == 404


def test_revoking_twice(client, config):
    key = put(config, "Production server")
    form = {**form_of(client.get(revoke(key))), "understood": "on"}
    assert client.post(revoke(key), form).status_code == 303
    again = client.post(revoke(key), form)
    assert (again.status_code, heading(again)) == (404, "Page not found")


def test_a_locked_key_is_not_revoked(client, config):
    key = put(config, "Production server", locked=True)
    assert client.get(revoke(key)).status_code == 403
    assert stored(config) == [key]
