"""Who is in, and who is put out: listSessions and revokeSession (wire contract section 6; security rows 18, 19, 44)."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import clock
from portal.models import PortalConfig, PortalEvent, PortalSession
from portal.models.session_listing import MAX_SESSIONS_PER_USER
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

pytestmark = pytest.mark.django_db

INVALID = "unkey/application/invalid_input"
DEAD = "unkey/authentication/portal_session_not_found"


@pytest.fixture
def secret(db: None) -> str:
    """Return a root key that may mint and nothing else."""
    return issue_root_key().secret


@pytest.fixture
def listed(api, secret):
    """Return ``listed(**members)``, which answers the page as ``{external id: [session…]}`` and its pagination."""

    def call(portal: str = "my-portal", **members):
        answer = assert_answer(api("listSessions", {"portal": portal, **members}, token=secret))
        return answer["data"], answer["pagination"]

    return call


def names(page) -> list[str]:
    return [user["externalId"] for user in page[0]]


def walk(listed, **members) -> list[str]:
    """Return the external ids of all pages."""
    found, pagination = [], {"hasMore": True}
    while pagination["hasMore"]:
        data, pagination = listed(**members)
        assert len(data) <= members.get("limit", 100)
        found += [user["externalId"] for user in data]
        assert len(found) == len({*found})
        members["cursor"] = pagination.get("cursor")
    assert "cursor" not in pagination
    return found


def users(config: PortalConfig, *external_ids: str) -> None:
    for external_id in external_ids:
        mint(config, external_id)


# listSessions ----------------------------------------------------------------------------------------------------------


def test_a_portal_without_sessions(listed, config):
    assert listed() == ([], {"hasMore": False})


def test_pending_and_active_sessions_the_newest_first(listed, config):
    active = sign_in(config, "user_1", granted=["api.*.create_key", "keys:read"]).row
    pending = mint(config, "user_1", granted=["some.other.tuple"], preview=True).row
    data, pagination = listed()
    assert pagination == {"hasMore": False}
    assert data == [
        {
            "externalId": "user_1",
            "sessions": [
                {
                    "id": pending.public_id,
                    "status": "pending",
                    "createdAt": clock.to_milliseconds(pending.created_at),
                    "expiresAt": clock.to_milliseconds(pending.code_expires_at),
                    "scopes": [],
                },
                {
                    "id": active.public_id,
                    "status": "active",
                    "createdAt": clock.to_milliseconds(active.created_at),
                    "expiresAt": clock.to_milliseconds(active.expires_at),
                    "scopes": ["keys:read", "keys:create", "keys:reroll"],
                },
            ],
        }
    ]


def test_what_is_over_is_not_listed(listed, config):
    sign_in(config, "revoked").row.revoke()
    mint(config, "revoked link").row.revoke()
    sign_in(config, "short", ttl=timedelta(minutes=1))
    mint(config, "link")
    sign_in(config, "long")
    assert names(listed()) == ["link", "long", "short"]
    for minutes, left in ((1, ["link", "long"]), (15, ["long"]), (24 * 60, [])):
        later = clock.now() + timedelta(minutes=minutes)
        with clock.using(lambda later=later: later):
            assert names(listed()) == left


def test_other_portals_sessions_are_not_listed(listed, config):
    mint(PortalConfigFactory(), "stranger")
    users(config, "user_1")
    assert names(listed()) == ["user_1"]
    assert names(listed(config.public_id)) == ["user_1"]


def test_no_secret_is_in_the_answer(api, config, secret):
    code, token = mint(config, "one").secret, sign_in(config, "two").secret
    text = api("listSessions", {"portal": "my-portal"}, token=secret).content.decode()
    session = PortalSession.objects.get(external_id="two")
    assert all(word not in text for word in (code, token, bytes(session.token_hash).hex(), "metadata"))


def test_limit_counts_users_and_not_sessions(listed, config):
    users(config, "b", "a", "c", "a", "a", "b")
    data, pagination = listed(limit=2)
    assert [(user["externalId"], len(user["sessions"])) for user in data] == [("a", 3), ("b", 2)]
    assert pagination["hasMore"] is True
    data, pagination = listed(limit=2, cursor=pagination["cursor"])
    assert [(user["externalId"], len(user["sessions"])) for user in data] == [("c", 1)]
    assert pagination == {"hasMore": False}


@pytest.mark.parametrize(("number", "more"), [(2, False), (3, True)])
def test_a_full_page_says_whether_there_is_more(listed, config, number, more):
    users(config, *(f"user_{index}" for index in range(number)))
    assert listed(limit=2)[1]["hasMore"] is more


def test_a_page_has_100_users_if_nothing_is_said(listed, config):
    users(config, *(f"user_{index:03}" for index in range(101)))
    data, pagination = listed()
    assert len(data) == 100
    assert names(listed(cursor=pagination["cursor"])) == ["user_100"]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_together_are_everybody_once(listed, config, limit):
    ids = ["a", "A", "ä", "zz", "Z", "user_1", "user-1", "user 1", "user%", "ß" * 256, "😀" * 256, "\t", "\\", "'"]
    users(config, *ids, *ids)
    found = walk(listed, limit=limit)
    assert sorted(found) == sorted(ids)
    assert found == walk(listed)


def test_what_begins_and_ends_between_two_pages_loses_nobody_elses_place(listed, config):
    users(config, "b", "d", "f", "h")
    data, pagination = listed(limit=2)
    assert [user["externalId"] for user in data] == ["b", "d"]
    # Its last user goes, one of an earlier page comes, and one of a later page comes.
    PortalSession.objects.filter(external_id__in=["d", "f"]).revoke(PortalEvent.SYSTEM, reason="revoked")
    users(config, "a", "g")
    assert names(listed(limit=2, cursor=pagination["cursor"])) == ["g", "h"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["A_1", "a%1", "a_1", "ab1", "a\\1", "😀b"]),
        ("a", ["a%1", "a_1", "ab1", "a\\1"]),
        ("A", ["A_1"]),
        ("a_", ["a_1"]),
        ("a%", ["a%1"]),
        ("a\\", ["a\\1"]),
        ("a_1", ["a_1"]),
        ("a_1x", []),
        ("_", []),
        ("1", []),
        ("*", []),
        ("[a]", []),
        ("😀", ["😀b"]),
    ],
)
def test_search_is_the_beginning_of_an_external_id_to_the_letter(listed, config, search, found):
    users(config, "a_1", "a%1", "ab1", "A_1", "a\\1", "😀b")
    assert sorted(walk(listed, search=search)) == sorted(found)
    assert sorted(walk(listed, search=search, limit=1)) == sorted(found)


def test_an_answer_holds_so_many_sessions_of_a_user_and_says_that_there_are_more(listed, config):
    first = mint(config, "loop").row
    for _ in range(MAX_SESSIONS_PER_USER - 1):
        mint(config, "loop")
    users(config, "other")
    loop, other = listed()[0]
    assert (loop["externalId"], len(loop["sessions"])) == ("loop", MAX_SESSIONS_PER_USER)
    assert loop["sessions"][-1]["id"] == first.public_id
    assert "hasMore" not in loop
    newest = mint(config, "loop").row
    loop, other = listed()[0]
    assert loop["hasMore"] is True
    assert [loop["sessions"][0]["id"], len(loop["sessions"])] == [newest.public_id, MAX_SESSIONS_PER_USER]
    assert first.public_id not in [session["id"] for session in loop["sessions"]]
    assert "hasMore" not in other


@pytest.mark.parametrize(
    ("members", "location"),
    [
        ({"portal": None}, "body.portal"),
        ({"portal": "a"}, "body.portal"),
        ({"limit": 0}, "body.limit"),
        ({"limit": 101}, "body.limit"),
        ({"limit": "10"}, "body.limit"),
        ({"cursor": ""}, "body.cursor"),
        ({"search": "x" * 257}, "body.search"),
        ({"search": 1}, "body.search"),
        ({"externalId": "user_1"}, "body.externalId"),
    ],
)
def test_a_body_that_is_not_right(api, config, secret, members, location):
    answer = api("listSessions", {"portal": "my-portal", **members}, token=secret)
    assert [finding["location"] for finding in assert_refused(answer, 400, INVALID)] == [location]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "not a cursor",
        "ä",
        "0" * 4200,
        encoded("user_1"),
        encoded("{}"),
        encoded("[]"),
        encoded('[false, "user_1", "key_1"]'),
        encoded('[true, "user_1", ""]'),
        encoded('[false, 17, ""]'),
        encoded('[false, "a\\u0000b", ""]'),
        encoded('[false, "\\ud800", ""]'),
        encoded("[" * 3000),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused_politely(api, config, secret, cursor):
    answer = api("listSessions", {"portal": "my-portal", "cursor": cursor}, token=secret)
    (finding,) = assert_refused(answer, 400, INVALID)
    assert finding["location"] == "body.cursor"
    assert finding["message"].startswith("This is no cursor of this list.")


def test_the_cursor_of_the_longest_external_id_is_taken(listed, config):
    users(config, "😀" * 256, "\U0001f9ff" * 256)
    assert len(walk(listed, limit=1)) == 2


@pytest.mark.parametrize("number", [1, 30])
def test_a_page_costs_the_same_queries_however_long_it_is(api, config, secret, number):
    for index in range(number):
        sign_in(config, f"user_{index}")
        mint(config, f"user_{index}")
    api("listSessions", {"portal": "my-portal"}, token=secret)  # notes the use of the key
    with CaptureQueriesContext(connection) as queries:
        assert_answer(api("listSessions", {"portal": "my-portal"}, token=secret))
    # The root key, the portal, the page.
    assert len(queries) == 3


def test_a_closed_portal_can_be_listed(listed, config):
    config.enabled = False
    config.save()
    assert listed() == ([], {"hasMore": False})


# revokeSession ---------------------------------------------------------------------------------------------------------


def revoke(api, secret, external_id="user_123", portal="my-portal") -> int:
    answer = api("revokeSession", {"portal": portal, "externalId": external_id}, token=secret)
    data = assert_answer(answer)["data"]
    assert set(data) == {"sessionsRevoked"}
    return data["sessionsRevoked"]


def test_rows_18_and_19_one_users_sessions_end_at_once_pending_ones_included(api, config):
    root_key, secret = issue_root_key(granted=[f"portal.{config.public_id}.create_portal_session"])
    token, code = sign_in(config).secret, mint(config).secret
    assert revoke(api, secret) == 2
    assert_refused(api("getSession", token=token), 401, DEAD)
    assert_refused(api("exchangeCode", {"code": code}), 401, DEAD)
    event = PortalEvent.objects.get(kind="session.revoked")
    assert (event.actor_kind, event.actor_id, event.address) == ("root_key", root_key.public_id, "127.0.0.1")
    assert (event.portal_id, event.external_id) == (config.public_id, "user_123")
    assert event.detail == {"reason": "revoked", "count": 2}


def test_the_same_again_ends_nothing_and_writes_no_event(api, config, secret):
    mint(config)
    assert [revoke(api, secret), revoke(api, secret)] == [1, 0]
    assert PortalEvent.objects.filter(kind="session.revoked").count() == 1


def test_nobody_elses_session_ends(api, config, secret):
    others = [
        sign_in(config, "user_1234").secret,
        sign_in(config, "User_123").secret,
        sign_in(PortalConfigFactory(), "user_123").secret,
    ]
    assert revoke(api, secret) == 0
    for token in others:
        assert_answer(api("getSession", token=token))


def test_what_is_minted_afterwards_works(api, config, secret):
    mint(config)
    revoke(api, secret)
    assert_answer(api("getSession", token=sign_in(config).secret))


@pytest.mark.parametrize("external_id", [None, "", "x" * 257, 1])
def test_an_external_id_is_needed(api, config, secret, external_id):
    answer = api("revokeSession", {"portal": "my-portal", "externalId": external_id}, token=secret)
    assert [finding["location"] for finding in assert_refused(answer, 400, INVALID)] == ["body.externalId"]
