"""The list of keys (ui-spec 2.4, Keys), the same for every store."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from itertools import pairwise

import pytest
from django.test import Client

from portal import clock
from portal.models import PortalConfig
from portal.pages.views.base import PortalPage
from tests.factories import ALL, PortalConfigFactory, mint
from tests.pages.flow import enter, heading, open_link, press_continue
from tests.pages.pseudo import RIGHT_TO_LEFT, pseudo_languages
from tests.pages.shelf import empty_memory_store, put

pytestmark = pytest.mark.django_db

LIST = "/my-portal/keys/"


@pytest.fixture(params=["memory", "database"], autouse=True)
def store(request, settings):
    if request.param == "memory":
        empty_memory_store(settings)
    return request.param


@pytest.fixture
def config(db):
    return PortalConfigFactory(slug="my-portal", key_limit=None, key_permissions=["maps.read"])


def words(html: str) -> str:
    """Return the visible words, and those for screen readers, each tag as nothing."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def main(answer) -> str:
    return re.search(r"<main.*</main>", answer.content.decode(), re.DOTALL)[0]


def rows(answer) -> list[str]:
    body = re.search(r"<tbody.*</tbody>", answer.content.decode(), re.DOTALL)
    return re.findall(r"<tr.*?</tr>", body[0], re.DOTALL) if body else []


def names(answer) -> list[str]:
    return [words(re.search(r"<th.*?</a>", row, re.DOTALL)[0]) for row in rows(answer)]


def links(html: str) -> dict[str, str]:
    """Return the addresses of the links by their words."""
    found = re.findall(r'<a (?:[^>]*? )?href="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return {words(label): unescape(url) for url, label in found}


def row_of(answer, name: str) -> str:
    return next(row for row, found in zip(rows(answer), names(answer), strict=True) if found == name)


def test_home_lands_on_the_keys(client, config):
    answer = press_continue(client, open_link(client, mint(config).secret))
    assert answer["Location"] == LIST
    assert client.get("/my-portal/")["Location"] == LIST
    assert heading(client.get(LIST)) == "API keys"


def test_without_the_capability_the_tab_is_absent_and_the_page_says_why(client, config, inside):
    inside(["keys:create"])
    assert client.get("/my-portal/")["Location"] == "/my-portal/session/"
    answer = client.get(LIST)
    assert answer.status_code == 403
    assert heading(answer) == "You can’t use this page"
    assert "See API keys" in words(main(answer))


def test_without_a_session_the_way_back(client, config):
    put(config, "Production server")
    answer = client.get(LIST)
    assert answer.status_code == 401
    assert b"Production" not in answer.content


def test_a_project_without_keys_has_no_such_page(client, config, inside, settings):
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "portal.keystore.none.NoKeyStore"}}
    assert client.get("/my-portal/")["Location"] == "/my-portal/session/"
    for path in ("", "key_1/"):
        answer = client.get(LIST + path)
        assert answer.status_code == 404
        assert heading(answer) == "Page not found"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_405(client, inside, method):
    answer = getattr(client, method)(LIST)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"


class TestRows:
    @pytest.mark.parametrize(
        ("options", "kind", "status", "actions"),
        [
            ({}, "ok", "Active", "Edit Rotate Revoke"),
            ({"ends": None}, "ok", "Active", "Edit Rotate Revoke"),
            ({"ends": timedelta(days=7, minutes=1)}, "ok", "Active", "Edit Rotate Revoke"),
            ({"ends": timedelta(days=7)}, "warn", "Expires soon", "Edit Rotate Revoke"),
            ({"enabled": False}, "off", "Disabled", "Edit Revoke"),
            ({"enabled": False, "ends": timedelta(days=-1)}, "off", "Disabled", "Edit Revoke"),
            ({"ends": timedelta(0)}, "bad", "Expired", "Edit Revoke"),
            ({"locked": True}, "locked", "Locked", ""),
            ({"locked": True, "enabled": False}, "locked", "Locked", ""),
        ],
    )
    def test_status_and_actions(self, client, config, inside, options, kind, status, actions):
        key = put(config, "CI runner", **options)
        row = row_of(client.get(LIST), "CI runner")
        assert words(re.search(rf'<span class="st {kind}">.*?</span>', row, re.DOTALL)[0]) == status
        offered = {label: url for label, url in links(row).items() if label != "CI runner"}
        assert offered == {f"{word} CI runner": f"{LIST}{key.id}/{word.lower()}/" for word in actions.split()}
        assert ("Locked by Northwind Maps" in words(row)) == (status == "Locked")
        assert links(row)["CI runner"] == f"{LIST}{key.id}/"

    @pytest.mark.parametrize(
        ("granted", "actions"),
        [
            (["keys:read"], []),
            (["keys:read", "keys:update"], ["Edit K"]),
            (["keys:read", "keys:reroll"], ["Rotate K"]),
            (["keys:read", "keys:delete"], ["Revoke K"]),
        ],
    )
    def test_actions_by_capability(self, client, config, inside, granted, actions):
        put(config, "K", grace=timedelta(hours=1))
        inside(granted)
        row = rows(client.get(LIST))[0]
        assert [label for label in links(row) if label != "K"] == actions
        assert ("End old secret now" in row) == ("keys:reroll" in granted)
        assert "Old secret ends" in words(row)

    def test_what_the_store_cannot_do_is_absent(self, client, config, inside, monkeypatch, store):
        from portal.keystore import get_key_store

        put(config, "K", grace=timedelta(hours=1))
        for flag in ("create", "update", "reroll", "revoke"):
            monkeypatch.setattr(type(get_key_store().store), f"supports_{flag}", False)
        answer = client.get(LIST)
        assert list(links(rows(answer)[0])) == ["K"]
        assert "End old secret now" not in rows(answer)[0]
        assert "Create key" not in main(answer)

    @pytest.mark.parametrize(
        ("used", "expected"),
        [
            (None, "Never"),
            (timedelta(seconds=20), "Just now"),
            (timedelta(minutes=1), "1 minute ago"),
            (timedelta(minutes=40), "40 minutes ago"),
            (timedelta(minutes=18, seconds=50), "18 minutes ago"),
            (timedelta(minutes=59, seconds=50), "59 minutes ago"),
            (timedelta(hours=23), "23 hours ago"),
            (timedelta(days=1), "1 day ago"),
            (timedelta(days=59, hours=23), "59 days ago"),
            (timedelta(days=60), "2 months ago"),
            (timedelta(days=100), "3 months ago"),
            (timedelta(days=800), "2 years ago"),
        ],
    )
    def test_last_used(self, client, config, inside, used, expected):
        put(config, "K", used=used, made=timedelta(days=900))
        inside([one for one in ALL if one != "analytics:read"])
        assert f'data-label="Last used"><span>{expected}</span>' in rows(client.get(LIST))[0]

    @pytest.mark.parametrize(
        ("ends", "expected"),
        [
            (timedelta(seconds=40), "In less than a minute"),
            (timedelta(minutes=5), "In 5 minutes"),
            (timedelta(days=3), "In 3 days"),
            (timedelta(days=90), "In 3 months"),
            (timedelta(days=365), "In 12 months"),
            (timedelta(days=3650), "In 10 years"),
            (timedelta(days=-22), "22 days ago"),
        ],
    )
    def test_ends_in_words_and_as_a_moment(self, client, config, inside, ends, expected):
        key = put(config, "K", ends=ends)
        row = rows(client.get(LIST))[0]
        moment = key.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        pattern = rf'data-label="Expires"><span>{expected}<span class="sub"><time datetime="{moment}" data-local>'
        assert re.search(pattern, row)
        assert "UTC</time>" in row

    def test_seven_days_to_the_millisecond_are_soon(self, client, config, inside):
        now = clock.now()
        with clock.using(lambda: now):
            put(config, "Soon", ends=timedelta(days=7))
            put(config, "Later", ends=timedelta(days=7, milliseconds=1))
            answer = client.get(LIST)
        assert "Expires soon" in row_of(answer, "Soon")
        assert "Expires soon" not in row_of(answer, "Later")

    def test_a_key_that_never_ends(self, client, config, inside):
        put(config, "K", ends=None)
        row = rows(client.get(LIST))[0]
        assert 'data-label="Expires"><span>Never</span>' in row
        assert "<time" not in row

    def test_a_running_grace_period_is_a_line_of_the_row(self, client, config, inside):
        key = put(config, "K", grace=timedelta(hours=24))
        put(config, "Other")
        answer = client.get(LIST)
        row = row_of(answer, "K")
        assert 'class="st clock"' in row
        assert key.old_secret.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ") in row
        assert f'<form method="post" action="{LIST}{key.id}/end-old/">' in row
        assert "End old secret now K" in words(row)
        assert "Old secret" not in row_of(answer, "Other")
        assert len(rows(answer)) == 2

    def test_a_preview_is_shown_pages_and_no_button_that_acts(self, client, config, inside):
        put(config, "K", grace=timedelta(hours=1))
        inside(preview=True)
        answer = client.get(LIST)
        assert "Edit K" in links(rows(answer)[0])
        assert "End old secret now" not in rows(answer)[0]
        assert "Create key" in links(main(answer))

    @pytest.mark.parametrize(
        "name",
        [
            "x",
            "W" * 100,
            "🔑 😀 👩‍👩‍👧‍👦",
            "مفتاح الإنتاج",
            "a\u202eb\u2066c",
            "<script>alert(1)</script>",
            "&amp;",
            "{{ key.id }}",
            "%(n)d",
        ],
        ids=["one", "hundred", "emoji", "arabic", "bidi controls", "script", "entity", "template", "format"],
    )
    def test_row_35_names_are_text(self, client, config, inside, name):
        key = put(config, name, ends=timedelta(days=1), grace=timedelta(hours=1), old_in_use=True)
        for path in (LIST, f"{LIST}{key.id}/", f"{LIST}?q={name[:3]}"):
            html = client.get(path).content.decode()
            assert name in unescape(html)
            assert "<script>alert" not in html
            # In <bdi>, so that a name does not turn around what stands beside it; a title holds no tags.
            outside = re.sub(r"<bdi>.*?</bdi>|<title>.*?</title>|value=\"[^\"]*\"", "", html, flags=re.DOTALL)
            assert len(name) < 3 or name not in unescape(outside)

    def test_the_table_keeps_its_roles(self, client, config, inside):
        put(config, "K")
        html = main(client.get(LIST))
        for role, number in {"table": 1, "rowgroup": 2, "row": 2, "columnheader": 5, "rowheader": 1, "cell": 4}.items():
            assert html.count(f'role="{role}"') == number
        assert '<code dir="ltr" translate="no">' in rows(client.get(LIST))[0]


def test_row_24_a_portal_that_was_pointed_elsewhere_meanwhile(client, config, inside, monkeypatch):
    """Looked up before it was saved, and the session after: the keys of before are not shown."""
    put(config, "Of the keyspace before")
    before = PortalConfig.objects.get()
    config.keyspace_id = "ks_2"
    config.save()
    inside()
    monkeypatch.setattr(PortalPage, "_find", lambda page, slug: before)
    answer = client.get(LIST)
    assert answer.status_code == 401
    assert "Of the keyspace before" not in answer.content.decode()


class TestFilters:
    @pytest.fixture
    def mixed(self, config):
        put(config, "Active one")
        put(config, "Ends soon", ends=timedelta(days=2))
        put(config, "Off", enabled=False)
        put(config, "Locked away", locked=True)
        put(config, "Over", ends=timedelta(days=-2))

    def nav(self, answer):
        return re.search(
            r'<nav class="seg" aria-label="Filter by status">.*?</nav>', answer.content.decode(), re.DOTALL
        )[0]

    def test_links_with_counts(self, client, inside, mixed):
        nav = self.nav(client.get(LIST))
        assert list(links(nav)) == ["All 5", "Active 2", "Disabled 2", "Expired 1"]
        assert nav.count('aria-current="true"') == 1

    @pytest.mark.parametrize(
        ("status", "expected", "current"),
        [
            ("", {"Active one", "Ends soon", "Off", "Locked away", "Over"}, "All 5"),
            ("active", {"Active one", "Ends soon"}, "Active 2"),
            ("disabled", {"Off", "Locked away"}, "Disabled 2"),
            ("expired", {"Over"}, "Expired 1"),
            ("expiring", {"Ends soon"}, "Expires soon 1"),
            ("no such", {"Active one", "Ends soon", "Off", "Locked away", "Over"}, "All 5"),
        ],
    )
    def test_each_shows_its_keys(self, client, inside, mixed, status, expected, current):
        answer = client.get(LIST, {"status": status})
        assert set(names(answer)) == expected
        found = re.search(r'aria-current="true">(.*?)</a>', self.nav(answer), re.DOTALL)
        assert words(found[1]) == current

    def test_an_empty_filter_is_left_out_unless_it_is_shown(self, client, config, inside):
        put(config, "Active one")
        assert list(links(self.nav(client.get(LIST)))) == ["All 1", "Active 1"]
        answer = client.get(LIST, {"status": "expired"})
        assert list(links(self.nav(answer))) == ["All 1", "Active 1", "Expired 0"]
        assert "No keys match" in answer.content.decode()
        assert "You have no expired keys." in words(main(answer))

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            ("active", "You have no active keys."),
            ("disabled", "You have no disabled keys."),
            ("expiring", "None of your keys expires soon."),
            ("old_in_use", "No old secret is in use."),
        ],
    )
    def test_what_an_empty_filter_says(self, client, config, inside, status, said):
        put(config, "Gone", ends=timedelta(days=-1))
        assert said in words(main(client.get(LIST, {"status": status})))

    def test_following_the_links_keeps_search_and_order(self, client, inside, mixed):
        answer = client.get(LIST, {"q": "o", "sort": "name"})
        url = links(self.nav(answer))["Disabled 2"]
        assert url == f"{LIST}?status=disabled&q=o&sort=name"
        assert names(client.get(url)) == ["Locked away", "Off"]


class TestSearch:
    @pytest.mark.parametrize("text", ["runn", "CI RUNNER", "  ci  ", "{start}"])
    def test_by_name_and_first_characters(self, client, config, inside, text):
        key = put(config, "CI runner")
        put(config, "Staging")
        answer = client.get(LIST, {"q": text.format(start=key.start)})
        assert names(answer) == ["CI runner"]
        assert f'value="{text.format(start=key.start).strip()}"' in main(answer)

    def test_it_keeps_filter_and_order(self, client, config, inside):
        put(config, "CI runner")
        html = main(client.get(LIST, {"status": "active", "sort": "-name", "cursor": "x"}))
        form = re.search(r'<form class="find".*?</form>', html, re.DOTALL)[0]
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        assert hidden == [("status", "active"), ("sort", "-name")]
        assert f'action="{LIST}"' in form
        assert "method" not in form

    def test_no_match_says_for_what_and_leads_back(self, client, config, inside):
        put(config, "CI runner")
        answer = client.get(LIST, {"q": "<b>", "status": "active"})
        assert "No keys match Nothing matches “<b>” in Active. Clear search and filter" in words(main(answer))
        assert links(main(answer))["Clear search and filter"] == LIST
        assert rows(answer) == []
        assert "Nothing matches “zzz”." in words(main(client.get(LIST, {"q": "zzz"})))

    @pytest.mark.parametrize("text", ["\0", "%", "_", "\\", "'", "x" * 5000, "\ud83d"])
    def test_odd_texts_find_nothing_and_break_nothing(self, client, config, inside, text):
        put(config, "CI runner")
        answer = client.get(LIST + "?" + _query(q=text))
        assert answer.status_code == 200
        # A lone NUL is no text at all.
        assert names(answer) == (["CI runner"] if text == "\0" else [])

    def test_100_characters_at_most(self, client, config, inside):
        put(config, "CI runner")
        html = main(client.get(LIST, {"q": "x" * 500}))
        assert 'maxlength="100"' in html
        assert f'value="{"x" * 100}"' in html


def _query(**values: str) -> str:
    from urllib.parse import quote

    return "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in values.items())


class TestOrder:
    @pytest.fixture
    def three(self, config):
        put(config, "Bravo", ends=timedelta(days=30), made=timedelta(days=3))
        put(config, "alpha", ends=None, made=timedelta(days=2))
        put(config, "Charlie", ends=timedelta(days=10), made=timedelta(days=1))

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("", ["Charlie", "alpha", "Bravo"]),
            ("name", ["alpha", "Bravo", "Charlie"]),
            ("-name", ["Charlie", "Bravo", "alpha"]),
            ("expires", ["Charlie", "Bravo", "alpha"]),
            ("-expires", ["alpha", "Bravo", "Charlie"]),
            ("created", ["Bravo", "alpha", "Charlie"]),
            ("no such order", ["Charlie", "alpha", "Bravo"]),
        ],
    )
    def test_orders(self, client, inside, three, sort, expected):
        assert names(client.get(LIST, {"sort": sort})) == expected

    def test_a_heading_sorts_up_then_down_then_newest_first(self, client, inside, three):
        url, seen = LIST, []
        for _ in range(3):
            answer = client.get(url)
            head = re.search(r"<thead.*?</thead>", answer.content.decode(), re.DOTALL)[0]
            seen.append(
                (re.findall(r'aria-sort="(\w+)"', head), words(re.search(r"<caption.*?</caption>", main(answer))[0]))
            )
            url = next(url for label, url in links(head).items() if label.startswith("Key"))
        assert [directions for directions, _ in seen] == [[], ["ascending"], ["descending"]]
        assert len({caption for _, caption in seen}) == 3
        assert url == LIST


class TestPages:
    @pytest.fixture
    def many(self, config):
        for number in range(60):
            put(config, f"Key {number:02}", ends=timedelta(days=-1 if number >= 55 else 90))

    def nav(self, answer):
        return re.search(r'<nav aria-label="Pages">.*?</nav>', answer.content.decode(), re.DOTALL)[0]

    def test_there_and_back_again(self, client, inside, many):
        start = f"{LIST}?sort=name"
        first = client.get(start)
        assert names(first) == [f"Key {number:02}" for number in range(25)]
        assert words(self.nav(first)) == "Page 1 of 3Next"
        second = client.get(links(self.nav(first))["Next"])
        assert names(second) == [f"Key {number:02}" for number in range(25, 50)]
        assert words(self.nav(second)) == "PreviousPage 2 of 3Next"
        third = client.get(links(self.nav(second))["Next"])
        assert names(third) == [f"Key {number:02}" for number in range(50, 60)]
        assert words(self.nav(third)) == "PreviousPage 3 of 3"
        again = client.get(links(self.nav(third))["Previous"])
        assert names(again) == names(second)
        assert words(self.nav(again)) == words(self.nav(second))
        assert links(self.nav(again))["Previous"] == start
        assert "60 keys" in words(main(third))

    def test_filter_search_and_order_survive(self, client, inside, many):
        answer = client.get(LIST, {"status": "active", "q": "key", "sort": "-name"})
        url = links(self.nav(answer))["Next"]
        assert url.startswith(f"{LIST}?status=active&q=key&sort=-name&cursor=")
        assert names(client.get(url)) == [f"Key {number:02}" for number in range(29, 4, -1)]

    def test_one_page_has_no_links(self, client, config, inside):
        put(config, "K")
        assert 'aria-label="Pages"' not in client.get(LIST).content.decode()
        assert "1 key" in words(main(client.get(LIST)))

    @pytest.mark.parametrize("cursor", ["x", "%00", "W10", "x" * 3000, "bnVsbA"])
    def test_a_cursor_that_is_none_gives_the_first_page(self, client, inside, many, cursor):
        answer = client.get(f"{LIST}?sort=name&cursor={cursor}")
        assert answer.status_code == 200
        assert names(answer)[0] == "Key 00"

    def test_a_page_whose_keys_are_gone_gives_the_first(self, client, config, inside, many):
        from portal.keystore import get_key_store
        from portal.keystore.base import KeyQuery, Owner

        url = links(self.nav(client.get(f"{LIST}?sort=name&status=active")))["Next"]
        url = links(self.nav(client.get(url)))["Next"]
        assert names(client.get(url)) == [f"Key {number:02}" for number in range(50, 55)]
        owner = Owner(config, "user_123")
        for key in get_key_store().list_keys(owner, KeyQuery(search="Key 5")).keys:
            get_key_store().revoke_key(owner, key.id)
        answer = client.get(url)
        assert names(answer) == [f"Key {number:02}" for number in range(25)]
        assert words(self.nav(answer)) == "Page 1 of 2Next"

    def test_the_cursor_of_another_order_breaks_nothing(self, client, inside, many):
        url = links(self.nav(client.get(f"{LIST}?sort=name")))["Next"]
        for sort in ("expires", "-created", "-name"):
            assert client.get(url.replace("sort=name", f"sort={sort}")).status_code == 200


class TestNotices:
    def note(self, answer):
        found = re.search(r'<div class="note warning">.*?</div>', main(answer), re.DOTALL)
        return found[0] if found else ""

    def test_none_where_nothing_is_due(self, client, config, inside):
        put(config, "K", grace=timedelta(hours=1))
        put(config, "Off", enabled=False, ends=timedelta(days=1))
        put(config, "Over", ends=timedelta(days=-1))
        assert self.note(client.get(LIST)) == ""

    def test_one_key_that_ends_soon(self, client, config, inside):
        key = put(config, "CI runner", ends=timedelta(days=3), made=timedelta(days=5))
        for number in range(30):
            put(config, f"Key {number}")
        note = self.note(client.get(LIST))
        assert words(note) == "“CI runner” expires in 3 days. Change when it expires"
        assert links(note)["Change when it expires"] == f"{LIST}{key.id}/edit/"
        inside(["keys:read"])
        assert words(self.note(client.get(LIST))) == "“CI runner” expires in 3 days."

    def test_several_lead_to_a_list_of_them(self, client, config, inside):
        for number in range(3):
            put(config, f"Key {number}", ends=timedelta(days=number + 1))
        put(config, "Other")
        note = self.note(client.get(LIST))
        assert words(note) == "3 keys expire within 7 days. Show them"
        shown = client.get(links(note)["Show them"])
        assert set(names(shown)) == {"Key 0", "Key 1", "Key 2"}
        assert self.note(shown) == ""

    def test_one_old_secret_in_use(self, client, config, inside):
        key = put(config, "CI runner", grace=timedelta(hours=2), old_in_use=True)
        answer = client.get(LIST)
        assert words(self.note(answer)).startswith(
            "The old secret of “CI runner” is still in use. It stops working on "
        )
        assert links(self.note(answer))["CI runner"] == f"{LIST}{key.id}/"
        assert "Old secret in use, ends" in words(rows(answer)[0])

    def test_both_stand_in_one_notice(self, client, config, inside):
        for number in range(2):
            put(config, f"Key {number}", grace=timedelta(hours=2), old_in_use=True)
        put(config, "CI runner", ends=timedelta(days=1))
        answer = client.get(LIST)
        assert main(answer).count('class="note warning"') == 2  # one is the script's, for the session's end
        assert words(self.note(answer)).endswith("2 old secrets are still in use. Show them")
        shown = client.get(links(self.note(answer))["Show them"])
        assert set(names(shown)) == {"Key 0", "Key 1"}


class TestEmptyAndFull:
    def test_no_keys_yet(self, client, inside):
        answer = client.get(LIST)
        assert "No keys yet Create a key to make your first request. Create key" in words(main(answer))
        assert links(main(answer))["Create key"] == f"{LIST}new/"
        assert main(answer).count("Create key") == 1
        assert "<table" not in main(answer)
        assert 'type="search"' not in main(answer)

    def test_no_keys_and_nobody_to_make_one(self, client, inside):
        inside(["keys:read"])
        html = main(client.get(LIST))
        assert "No keys yet Ask Northwind Maps for a key." in words(html)
        assert "Create key" not in html

    def test_create_needs_the_capability(self, client, config, inside):
        put(config, "K")
        assert links(main(client.get(LIST)))["Create key"] == f"{LIST}new/"
        inside(["keys:read"])
        assert "Create key" not in main(client.get(LIST))

    def test_the_limit_takes_the_place_of_create(self, client, config, inside):
        PortalConfig.objects.update(key_limit=2)
        put(config, "A")
        assert "Create key" in main(client.get(LIST))
        put(config, "B", enabled=False)
        html = main(client.get(LIST))
        assert "You have 2 of 2 keys. Revoke one to create another." in words(html)
        assert "Create key" not in html
        PortalConfig.objects.update(key_limit=1)
        assert "You have 2 keys; the limit is 1." in words(main(client.get(LIST)))
        inside(["keys:read"])
        assert "You have 2" not in words(main(client.get(LIST)))


def test_row_24_other_peoples_keys_are_not_in_the_list(client, config, inside):
    put(config, "Mine")
    put(config, "Theirs", external_id="user_456")
    other = PortalConfigFactory(slug="other", keyspace_id="ks_2")
    put(other, "Elsewhere")
    assert names(client.get(LIST)) == ["Mine"]
    for text in ("Theirs", "Elsewhere"):
        assert names(client.get(LIST, {"q": text})) == []


@pytest.mark.parametrize("how_many", [1, 25, 60])
def test_at_most_eight_queries_however_many_keys(client, config, inside, django_assert_num_queries, store, how_many):
    for number in range(how_many):
        put(config, f"Key {number}", grace=timedelta(hours=1))
    put(config, "One soon", ends=timedelta(days=1))
    put(config, "One in use", grace=timedelta(hours=1), old_in_use=True)
    # The portal and the session; the page with its old secrets, and the counts where there is more than the page; the uses.
    # The two that need attention are there.
    expected = {"memory": 2, "database": 2 + 2 + (how_many > 23) + 1}[store]
    with django_assert_num_queries(expected):
        client.get(LIST)


class TestTrouble:
    @pytest.mark.parametrize(("name", "status"), [("BrokenKeyStore", 502), ("SilentKeyStore", 503)])
    def test_a_store_that_fails_is_a_page(self, client, config, inside, settings, name, status, caplog):
        settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": f"tests.doubles.{name}"}}
        answer = client.get(LIST)
        assert answer.status_code == status
        assert "Your keys keep working." in words(main(answer))
        assert ("Retry-After" in answer) == (status == 503)
        assert 'class="acts"' in answer.content.decode(), "who is inside sees how to leave"


def test_right_to_left_and_every_word_is_translated(client, config, inside):
    PortalConfig.objects.update(locale=RIGHT_TO_LEFT)
    put(config, "CI", ends=timedelta(days=1), grace=timedelta(hours=1), old_in_use=True)
    put(config, "OFF", enabled=False)
    put(config, "LOCK", locked=True)
    with pseudo_languages():
        html = client.get(LIST).content.decode()
    assert 'dir="rtl"' in html
    text = re.search(r"<main.*</main>", html, re.DOTALL)[0]
    while "⟦" in text:
        text = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    text = re.sub(r'<code dir="ltr" translate="no">.*?</code>|<bdi>.*?</bdi>|<time.*?</time>', "", text)
    assert re.findall(r"[A-Za-z]{2,}", words(text)) == []


def test_what_is_said_after_a_change_is_said_once(config):
    from tests.pages.flow import field

    client = Client()
    enter(client, mint(config).secret)
    key = put(config, "<K>", grace=timedelta(hours=1))
    form = {"form_token": field(client.get(LIST).content.decode(), "form_token")}
    tokens = re.findall(r'name="form_token" value="(\w+)"', rows(client.get(LIST))[0])
    form["form_token"] = tokens[0]
    assert client.post(f"{LIST}{key.id}/end-old/", form).status_code == 303
    said = "The old secret of “<K>” no longer works."
    first = client.get(LIST)
    assert said in words(main(first))
    assert 'role="status" tabindex="-1" data-focus' in main(first)
    assert said not in words(main(client.get(LIST)))


def test_the_order_of_the_page_is_the_order_of_the_keyboard(client, config, inside):
    put(config, "K", ends=timedelta(days=1))
    html = client.get(LIST).content.decode()
    places = [
        html.index(piece)
        for piece in ("Create key", "Change when it expires", 'class="seg"', 'type="search"', "<thead")
    ]
    assert all(before < after for before, after in pairwise(places))
