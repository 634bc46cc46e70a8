"""Where a session lands: on its first tab, or on the page that its link was made for (design decision 4)."""

from __future__ import annotations

import pytest

from portal.models import PortalSession
from tests.factories import ALL, mint, sign_in
from tests.pages.flow import heading, open_link, press_continue

pytestmark = pytest.mark.django_db


@pytest.fixture
def land(client, config):
    """Return ``land(next=…)``, which goes in and returns where to."""

    def go(granted=ALL, **options):
        issued = mint(config, granted=granted, **options)
        answer = press_continue(client, open_link(client, issued.secret))
        assert answer.status_code == 303, answer.content
        return answer["Location"]

    return go


@pytest.mark.parametrize(
    ("path", "lands"),
    [
        ("", "keys/"),
        ("session/", "session/"),
        ("session", "session/"),
        ("keys/new/", "keys/new/"),
        ("keys/key_123/rotate/", "keys/key_123/rotate/"),
        ("keys/key_123/rotate", "keys/key_123/rotate/"),
    ],
)
def test_on_the_page_that_the_link_was_made_for(land, path, lands):
    assert land(next=path) == f"/my-portal/{lands}"


def test_a_deep_link_opens_the_page_of_the_users_own_key(land, client, config, api):
    key_id = api("createKey", {"name": "Laptop"}, token=sign_in(config).secret).json()["data"]["keyId"]
    page = client.get(land(next=f"keys/{key_id}/rotate/"))
    assert page.status_code == 200
    assert "Laptop" in heading(page)


def test_somebody_elses_key_is_the_404_page(land, client, config, api):
    key_id = api("createKey", {"name": "Laptop"}, token=sign_in(config, "user_456").secret).json()["data"]["keyId"]
    assert client.get(land(next=f"keys/{key_id}/rotate/")).status_code == 404


def test_without_what_the_page_needs_on_the_first_tab(land):
    assert land(granted=["keys:read"], next="keys/key_123/rotate/") == "/my-portal/keys/"
    assert land(granted=["keys:reroll"], next="keys/key_123/rotate/") == "/my-portal/session/"


def test_a_store_that_cannot_do_it_leads_to_the_first_tab(land, settings):
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "tests.keystore.doubles.ReadOnlyStore"}}
    assert land(next="keys/new/") == "/my-portal/keys/"
    assert land(next="keys/key_123/") == "/my-portal/keys/key_123/"
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "portal.keystore.none.NoKeyStore"}}
    assert land(next="keys/key_123/") == "/my-portal/session/"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/evil/", "../x/", "keys/k/../../x/"])
def test_a_row_written_by_hand_leads_nowhere_else(client, config, path):
    issued = mint(config)
    PortalSession.objects.update(next=path)
    assert press_continue(client, open_link(client, issued.secret))["Location"] == "/my-portal/keys/"


def test_a_lost_answer_leads_to_the_same_page(client, config):
    landing = open_link(client, mint(config, next="session/").secret)
    answers = [press_continue(client, landing) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == ["/my-portal/session/"] * 2
    assert answers[0].cookies["portal_session"].value == answers[1].cookies["portal_session"].value


def test_a_preview_sees_the_form_that_it_may_not_send(land, client):
    page = client.get(land(next="keys/new/", preview=True))
    assert page.status_code == 200
    assert "Changes are switched off" in page.content.decode()
