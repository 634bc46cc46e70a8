"""What a mint can say beside whose the session is: the same rules by the API and in process, and what comes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import Resolver404, resolve

from portal import clock, destinations, signals
from portal.authenticate import authenticate_session
from portal.errors import InvalidInput
from portal.models import PortalEvent, PortalSession
from portal.pages.urls import urlpatterns
from portal.pages.views.keys_base import KeysPage
from portal.shortcuts import create_portal_url, redirect_to_portal
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, mint, sign_in
from tests.pages.flow import open_link, press_continue

pytestmark = pytest.mark.django_db

BODY = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
GIVEN = {
    "next": "keys/key_123/",
    "locale": "pt-BR",
    "displayName": "Ada Lovelace",
    "ttl": 3600,
    "metadata": {"org": "org_1", "seats": 3, "flags": [True, None], "n": {"é": "😀"}},
}
OPTIONS = {
    "next": "keys/key_123/",
    "locale": "pt-BR",
    "display_name": "Ada Lovelace",
    "ttl": timedelta(hours=1),
    "metadata": GIVEN["metadata"],
}


def assert_stored() -> None:
    row = PortalSession.objects.get()
    assert (row.next, row.locale, row.display_name) == ("keys/key_123/", "pt-BR", "Ada Lovelace")
    assert (row.ttl, row.metadata) == (timedelta(hours=1), GIVEN["metadata"])


def test_the_api_takes_them_in_both_dialects(api, config, root_key):
    assert_answer(api("createSession", {**BODY, **GIVEN}, token=root_key.secret))
    assert_stored()
    PortalSession.objects.all().delete()
    newer = {"portal": "my-portal", "externalId": "user_123", "scopes": ["keys:read"]}
    assert_answer(api("createSession", {**newer, **GIVEN}, token=root_key.secret))
    assert_stored()


def test_so_does_code_in_process(config):
    create_portal_url("my-portal", "user_123", ["keys:read"], **OPTIONS)
    assert_stored()


def test_left_out_they_are_absent(api, config, root_key):
    assert_answer(api("createSession", BODY, token=root_key.secret))
    row = PortalSession.objects.get()
    assert (row.next, row.locale, row.display_name, row.metadata) == ("", "", "", {})
    assert row.ttl == timedelta(hours=24)


BIG = {"note": "x" * 2037}
NESTED: dict[str, Any] = {}
inner = NESTED
for _ in range(2000):
    inner["a"] = inner = {}

#: Options of one word, which the API and code name alike.
WRONG = [
    ("next", "/keys/"),
    ("next", "//evil.example"),
    ("next", "https://evil.example/keys/"),
    ("next", "../other-portal/keys/"),
    ("next", "keys/../session/"),
    ("next", "keys/key_1/saved/"),
    ("next", "keys/key_1/end-old/"),
    ("next", "keys/a%2f/"),
    ("next", "keys/?q=x"),
    ("next", "keys/\n"),
    ("next", "session/end/"),
    ("next", "enter/"),
    ("next", "keys/ключ/"),
    ("next", "keys/new/"),
    ("next", "keys/key_1/rotate/"),
    ("locale", "de_DE"),
    ("locale", "d"),
    ("locale", "de\n"),
    ("locale", "de-" + "x" * 40),
    ("locale", "de-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa"),
    ("metadata", {"note": "x" * 2038}),
    ("metadata", {"n": float("inf")}),
]


@pytest.mark.parametrize(("member", "value"), WRONG)
def test_the_api_names_what_is_wrong(client, config, root_key, member, value):
    headers = {"Authorization": f"Bearer {root_key.secret}"}
    body = json.dumps({**BODY, member: value}).replace("Infinity", "1e999")
    answer = client.post("/v2/portal.createSession", body, content_type="application/json", headers=headers)
    (finding,) = assert_refused(answer, 400, "unkey/application/invalid_input")
    assert finding["location"] == f"body.{member}"
    assert not PortalSession.objects.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *WRONG,
        ("display_name", "a\0b"),
        ("display_name", "a\ud800b"),
        ("display_name", b"Ada"),
        ("preview", "no"),
        ("return_url", 7),
        ("next", ["keys/"]),
        ("locale", 7),
        ("ttl", 3600),
        ("ttl", timedelta(0)),
        ("ttl", timedelta(hours=-1)),
        ("ttl", timedelta(seconds=1, milliseconds=1)),
        ("ttl", timedelta(hours=24, seconds=1)),
        ("metadata", ["a"]),
        ("metadata", "a"),
        ("metadata", {"a": {1, 2}}),
        ("metadata", {"a": "b\0c"}),
        ("metadata", {"a": "\ud800"}),
        ("metadata", NESTED),
    ],
)
def test_in_process_too(config, option, value):
    with pytest.raises(InvalidInput) as caught:
        create_portal_url("my-portal", "user_123", ["keys:read"], **{option: value})
    assert [finding["location"] for finding in caught.value.errors] == [option]
    assert not PortalSession.objects.exists()


def test_none_in_process_is_left_out(config):
    create_portal_url("my-portal", "user_123", ["keys:read"], **dict.fromkeys([*OPTIONS, "preview", "return_url"]))
    row = PortalSession.objects.get()
    assert (row.next, row.locale, row.display_name, row.preview, row.return_url, row.metadata, row.ttl) == (
        *("", "", "", False, "", {}),
        timedelta(hours=24),
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"capabilities": "keys:read keys:create keys:delete"},
        {"keyspace_id": "ks_other"},
        {"minted_by": 1},
        {"code_hash": b"x"},
        {"displayname": "Ada"},
        {"capabilities": None},
    ],
)
@pytest.mark.parametrize("shortcut", [create_portal_url, redirect_to_portal])
def test_nothing_else_can_be_said(config, rf, shortcut, extra):
    """What the mint works out by itself, such as the capabilities, is no option: it would come past every check."""
    arguments = [rf.post("/")] if shortcut is redirect_to_portal else []
    with pytest.raises(TypeError, match=f"'{next(iter(extra))}'.*are display_name, .*, ttl"):
        shortcut(*arguments, "my-portal", "user_123", ["keys:read"], **extra)
    assert not PortalSession.objects.exists()


@pytest.mark.parametrize("ttl", [0, -1, 86_401, 10**12, 1.5, "3600", True, None])
def test_a_life_is_seconds_and_at_most_session_ttl(api, config, root_key, ttl):
    answer = api("createSession", {**BODY, "ttl": ttl}, token=root_key.secret)
    (finding,) = assert_refused(answer, 400, "unkey/application/invalid_input")
    assert finding["location"] == "body.ttl"


@pytest.mark.parametrize("value", [[], "x", 1, None])
def test_metadata_is_an_object(api, config, root_key, value):
    answer = api("createSession", {**BODY, "metadata": value}, token=root_key.secret)
    (finding,) = assert_refused(answer, 400, "unkey/application/invalid_input")
    assert finding["location"] == "body.metadata"


@pytest.mark.parametrize("text", [r"\u0000", r"\\u0000", "\\", 'a"b'])
def test_metadata_may_hold_what_only_looks_like_a_nul(api, config, root_key, text):
    assert_answer(api("createSession", {**BODY, "metadata": {text: [text]}}, token=root_key.secret))
    assert PortalSession.objects.get().metadata == {text: [text]}


def test_the_longest_that_is_taken(api, config, root_key):
    body = {**BODY, "metadata": BIG, "ttl": 86_400, "locale": "de-" + "a1b2c3d4-" * 3 + "a1b2c"}
    assert_answer(api("createSession", body, token=root_key.secret))


def test_a_session_setting_that_is_no_whole_second_is_still_the_default(config, settings):
    settings.PORTAL = {**settings.PORTAL, "SESSION_TTL": timedelta(seconds=90, milliseconds=500)}
    create_portal_url("my-portal", "user_123", ["keys:read"])
    assert PortalSession.objects.get().ttl == timedelta(seconds=90, milliseconds=500)


def test_a_life_counts_from_the_exchange_to_the_millisecond(config):
    minted = mint(config, ttl=timedelta(seconds=90))
    start = clock.now() + timedelta(minutes=1, milliseconds=7)
    with clock.using(lambda: start):
        session, token = PortalSession.objects.exchange(minted.secret)
    assert session.expires_at == start + timedelta(seconds=90)
    with clock.using(lambda: session.expires_at - timedelta(milliseconds=1)):
        assert authenticate_session(token)
    with clock.using(lambda: session.expires_at):
        assert authenticate_session(token) is None
        assert session.state() == session.State.EXPIRED


def test_the_cookie_ends_with_the_session(client, config):
    answer = press_continue(client, open_link(client, mint(config, ttl=timedelta(seconds=90)).secret))
    assert 80 <= answer.cookies["portal_session"]["max-age"] <= 90


def test_metadata_is_for_the_hosts_code_and_no_one_else(api, client, config, caplog):
    token = sign_in(config, metadata={"org": "org_1"}).secret
    assert authenticate_session(token).metadata == {"org": "org_1"}
    # What one request does with it is nothing to the next.
    authenticate_session(token).metadata.clear()
    assert authenticate_session(token).metadata == {"org": "org_1"}
    assert "org_1" not in api("getSession", token=token).content.decode()
    assert "org_1" not in caplog.text
    assert not PortalEvent.objects.filter(detail__icontains="org_1").exists()


@pytest.mark.django_db(transaction=True)
def test_receivers_find_the_metadata_on_events_of_the_session_and_of_what_it_does(api, config):
    heard: dict[str, Any] = {}

    def receiver(sender: Any, event: PortalEvent, **kwargs: Any) -> None:
        heard[event.kind] = event.metadata

    for signal in signals.BY_KIND.values():
        signal.connect(receiver)
    try:
        issued = sign_in(config, metadata={"org": "org_1"})
        assert_answer(api("createKey", {"name": "Laptop"}, token=issued.secret))
        PortalConfigFactory()
        assert_answer(api("endSession", token=issued.secret))
        sign_in(config, metadata={"org": "org_1"}).row.revoke()
    finally:
        for signal in signals.BY_KIND.values():
            signal.disconnect(receiver)
    told = {"org": "org_1"}
    assert heard == {
        "portal.created": {},
        "session.created": told,
        "session.exchanged": told,
        "session.signed_out": told,
        "session.revoked": told,
        "key.created": told,
    }


def test_an_event_that_was_read_has_none(config):
    sign_in(config, metadata={"org": "org_1"})
    assert {str(event.metadata) for event in PortalEvent.objects.all()} == {"{}"}


def pages() -> dict[str, Any]:
    """Return the pages inside a portal that a GET shows, by their path, with one key id for all."""
    found = {}
    for pattern in urlpatterns:
        path = str(pattern.pattern)
        if path.startswith("<slug:slug>/") and path.count("/") > 1:
            view = pattern.callback.view_class
            if "get" in view.http_method_names and hasattr(view, "get"):
                found[path.removeprefix("<slug:slug>/").replace("<str:key_id>", "key_123")] = view
    return found


def test_next_can_lead_to_every_page_inside_and_asks_what_the_page_asks():
    inside = pages()
    assert "keys/key_123/rotate/" in inside
    for path, view in inside.items():
        needed = destinations.needs(path)
        if path in {"signed-out/", "keys/key_123/saved/", "keys/key_123/end-old/"}:
            assert needed is None, path
        elif issubclass(view, KeysPage):
            assert needed is not None, path
            assert needed[-1] == view.capability
        else:
            assert needed == (), path


@pytest.mark.parametrize("path", ["keys/", "keys/new/", "keys/k_1/", "keys/k_1/revoke/", "session/"])
def test_everything_that_next_takes_is_a_page(path):
    assert destinations.needs(path) is not None
    try:
        resolve(f"/my-portal/{path}")
    except Resolver404:
        pytest.fail(path)
