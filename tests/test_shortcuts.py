"""The portal from inside a Django project."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.errors import Forbidden, InvalidInput, PortalConfigNotFound
from portal.models import PortalEvent, PortalSession
from portal.shortcuts import create_portal_url, list_sessions, redirect_to_portal, revoke_sessions
from tests.factories import ALL, mint, sign_in

pytestmark = pytest.mark.django_db


def test_a_link(config):
    url = create_portal_url(
        "my-portal",
        "user_123",
        ["keys:read"],
        display_name="Ada",
        preview=True,
        return_url="https://app.example.com/team",
    )
    assert url.startswith("https://portal.example.com/my-portal/?session=pst_")
    session = PortalSession.objects.get()
    assert (session.display_name, session.preview, session.return_url, session.minted_by) == (
        "Ada",
        True,
        "https://app.example.com/team",
        None,
    )


def test_a_redirect_that_the_portal_can_recognise(config, rf):
    answer = redirect_to_portal(rf.post("/"), "my-portal", "user_123", ["keys:read"], display_name="Ada")
    assert answer.status_code == 302
    assert answer["Location"].startswith("https://portal.example.com/my-portal/?session=pst_")
    assert answer["Referrer-Policy"] == "strict-origin"
    assert answer["Cache-Control"] == "no-store"
    assert PortalSession.objects.get().display_name == "Ada"
    assert PortalEvent.objects.get(kind="session.created").address == "127.0.0.1"


def test_a_given_request_says_where_the_portal_is(config, rf, settings):
    settings.PORTAL = {}
    url = create_portal_url("my-portal", "user_123", ["keys:read"], request=rf.get("/"))
    assert url.startswith("http://testserver/my-portal/?session=pst_")
    with pytest.raises(ImproperlyConfigured, match="BASE_URL"):
        create_portal_url("my-portal", "user_123", ["keys:read"])


@pytest.mark.parametrize(
    ("arguments", "options", "location"),
    [
        (("", ["keys:read"]), {}, "external_id"),
        (("x" * 257, ["keys:read"]), {}, "external_id"),
        (("a\0b", ["keys:read"]), {}, "external_id"),
        (("a\ud800b", ["keys:read"]), {}, "external_id"),
        (("\udfff", ["keys:read"]), {}, "external_id"),
        ((7, ["keys:read"]), {}, "external_id"),
        (("user", []), {}, "permissions"),
        (("user", ["keys:read", "fly"]), {}, "permissions[1]"),
        (("user", ["keys:read", None]), {}, "permissions[1]"),
        (("user", ["keys:read"]), {"display_name": "x" * 257}, "display_name"),
        (("user", ["keys:read"]), {"return_url": "https://evil.example"}, "return_url"),
    ],
)
def test_bad_arguments_are_named(config, arguments, options, location):
    with pytest.raises(InvalidInput) as caught:
        create_portal_url("my-portal", *arguments, **options)
    assert [finding["location"] for finding in caught.value.errors] == [location]
    assert location in str(caught.value)
    assert not PortalSession.objects.exists()


def test_unknown_and_closed_portals(config):
    with pytest.raises(PortalConfigNotFound):
        create_portal_url("nowhere", "user", ["keys:read"])
    config.enabled = False
    config.save()
    with pytest.raises(Forbidden):
        create_portal_url("my-portal", "user", ["keys:read"])


def test_who_is_in(config):
    code, token = mint(config, "user_2").secret, sign_in(config, "user_1").secret
    mint(config, "user_1")
    mint(config, "User_3")
    page = list_sessions("my-portal", search="user_")
    assert [(user.external_id, [session.pending for session in user.sessions]) for user in page.users] == [
        ("user_1", [True, False]),
        ("user_2", [True]),
    ]
    assert (page.next, page.users[0].has_more) == ("", False)
    session = page.users[0].sessions[1]
    row = PortalSession.objects.get(external_id="user_1", token_hash__isnull=False)
    assert (session.id, session.capabilities) == (row.public_id, ALL)
    assert (session.created_at, session.expires_at) == (row.created_at, row.expires_at)
    assert session.created_at.tzinfo is not None
    assert code not in str(page)
    assert token not in str(page)


def test_who_is_in_page_by_page(config):
    for external_id in ("c", "a", "b"):
        mint(config, external_id)
    first = list_sessions("my-portal", limit=2)
    second = list_sessions("my-portal", limit=2, after=first.next)
    assert [user.external_id for user in (*first.users, *second.users)] == ["a", "b", "c"]
    assert (first.next, second.next) == ("b", "")


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_holds_one_user_at_least(config, limit):
    mint(config)
    with pytest.raises(ValueError, match="limit"):
        list_sessions("my-portal", limit=limit)


def test_putting_somebody_out(config, rf):
    mint(config)
    sign_in(config)
    mint(config, "user_4")
    assert revoke_sessions("my-portal", "user_123", request=rf.post("/")) == 2
    assert revoke_sessions("my-portal", "user_123") == 0
    assert [user.external_id for user in list_sessions("my-portal").users] == ["user_4"]
    event = PortalEvent.objects.get(kind="session.revoked")
    assert (event.actor_kind, event.address, event.external_id) == ("system", "127.0.0.1", "user_123")


def test_an_unknown_portal_has_nobody_to_put_out(db):
    for act in (list_sessions, lambda slug: revoke_sessions(slug, "user_123")):
        with pytest.raises(PortalConfigNotFound):
            act("nowhere")
