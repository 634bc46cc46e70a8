"""The portal from inside a Django project."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.errors import Forbidden, InvalidInput, PortalConfigNotFound
from portal.models import PortalEvent, PortalSession
from portal.shortcuts import create_portal_url, redirect_to_portal

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
        (("user", []), {}, "permissions"),
        (("user", ["keys:read", "fly"]), {}, "permissions[1]"),
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
