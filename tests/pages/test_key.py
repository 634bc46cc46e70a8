"""One key (ui-spec 2.4, Key), and ending its old secret; the same for every store."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.http import HttpResponse

from portal import clock
from portal.authenticate import authenticate_session
from portal.keystore import get_key_store
from portal.keystore.base import Owner, RateLimit
from portal.models import PortalConfig, PortalEvent, PortalSession
from portal.pages.notes import Note, set_note
from tests.factories import PortalConfigFactory, sign_in
from tests.pages.flow import heading
from tests.pages.key_flow import send
from tests.pages.pseudo import LONG, pseudo_languages
from tests.pages.shelf import put
from tests.pages.test_keys import LIST, config, links, main, store, words

__all__ = ["config", "store"]

pytestmark = pytest.mark.django_db

REQUEST_ID = re.compile(rb"req_\w+")


def facts(answer) -> dict[str, str]:
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", main(answer), re.DOTALL)
    return {words(name): words(value) for name, value in pairs}


def token(answer) -> str:
    form = re.search(r'<form method="post" action="[^"]*/end-old/">.*?</form>', main(answer), re.DOTALL)[0]
    return re.search(r'name="form_token" value="(\w+)"', form)[1]


class TestFacts:
    def test_what_it_says(self, client, config, inside):
        key = put(config, "CI runner", made=timedelta(days=2), used=timedelta(hours=2), ends=timedelta(days=88))
        answer = client.get(f"{LIST}{key.id}/")
        assert heading(answer) == "CI runner"
        assert "<title>CI runner – Northwind Maps</title>" in answer.content.decode()
        found = facts(answer)
        assert list(found) == ["Starts with", "Key ID", "Created", "Expires", "Last used", "Permissions"]
        assert found["Starts with"] == f"{key.start}••••"
        assert found["Key ID"].startswith(key.id)
        assert found["Created"].endswith("UTC")
        assert found["Expires"].startswith("In 3 months ")
        assert found["Last used"].startswith("2 hours ago ")
        assert found["Permissions"] == "None"
        assert words(re.search(r'<span class="st ok">.*?</span>', main(answer), re.DOTALL)[0]) == "Active"
        assert links(main(answer))["← API keys"] == LIST

    def test_what_there_is_not(self, client, config, inside):
        PortalConfig.objects.update(key_permissions=[])
        key = put(config, "K", ends=None)
        found = facts(client.get(f"{LIST}{key.id}/"))
        assert found["Expires"] == "Never"
        assert found["Last used"] == "Never"
        assert "Permissions" not in found
        assert "Rate limit" not in found

    def test_permissions_and_rate_limit(self, client, config, inside):
        key = put(config, "K", permissions=("maps.read", "maps.write"), rate_limit=RateLimit(100, timedelta(minutes=1)))
        found = facts(client.get(f"{LIST}{key.id}/"))
        assert found["Permissions"] == "maps.readmaps.write"
        assert found["Rate limit"] == "100 requests in 1 minute"

    def test_the_id_has_a_copy_button_which_only_the_script_shows(self, client, config, inside):
        key = put(config, "K")
        html = main(client.get(f"{LIST}{key.id}/"))
        button = re.search(r"<button[^>]*data-copy[^>]*>", html)[0]
        assert " hidden" in button
        assert 'type="button"' in button
        copied = re.search(r'data-copy="([^"]+)"', button)[1]
        assert f'<code id="{copied}" dir="ltr" translate="no">{key.id}</code>' in html

    @pytest.mark.parametrize(
        ("options", "actions"),
        [
            ({}, ["Edit", "Rotate", "Revoke"]),
            ({"enabled": False}, ["Edit", "Revoke"]),
            ({"ends": timedelta(days=-1)}, ["Edit", "Revoke"]),
            ({"locked": True}, []),
        ],
    )
    def test_buttons(self, client, config, inside, options, actions):
        key = put(config, "K", **options)
        offered = links(main(client.get(f"{LIST}{key.id}/")))
        expected = {word: f"{LIST}{key.id}/{word.lower()}/" for word in actions}
        assert {label: url for label, url in offered.items() if label in {"Edit", "Rotate", "Revoke"}} == expected

    def test_a_locked_key_says_who_locked_it(self, client, config, inside):
        key = put(config, "K", locked=True, made=timedelta(days=90))
        text = words(main(client.get(f"{LIST}{key.id}/")))
        assert "Locked by Northwind Maps. Requests with this key are refused." in text
        assert "Not used for" not in text

    def test_an_old_secret_is_told_apart(self, client, config, inside):
        key = put(config, "K", grace=timedelta(hours=1))
        found = facts(client.get(f"{LIST}{key.id}/"))
        assert found["Old secret"] == f"{key.old_secret.start}••••"
        assert found["Starts with"] == f"{key.start}••••"
        assert "Old secret" not in facts(client.get(f"{LIST}{put(config, 'L').id}/"))

    @pytest.mark.parametrize(
        ("made", "used", "days"),
        [
            (timedelta(days=90), timedelta(days=41, hours=3), 41),
            (timedelta(days=90), timedelta(days=30), 30),
            (timedelta(days=90), timedelta(days=29, hours=23), None),
            (timedelta(days=45), None, 45),
            (timedelta(days=29), None, None),
        ],
    )
    def test_a_hint_after_30_days_without_use(self, client, config, inside, made, used, days):
        key = put(config, "K", made=made, used=used)
        text = words(main(client.get(f"{LIST}{key.id}/")))
        assert (f"Not used for {days} days. If nothing needs it, revoke it." in text) == (days is not None)
        inside(["keys:read"])
        assert "If nothing needs it" not in words(main(client.get(f"{LIST}{key.id}/")))

    def test_30_days_to_the_millisecond(self, client, config, inside):
        now = clock.now()
        with clock.using(lambda: now):
            key = put(config, "K", made=timedelta(days=90), used=timedelta(days=30))
            fresh = put(config, "L", made=timedelta(days=90), used=timedelta(days=30) - timedelta(milliseconds=1))
            assert "Not used for 30 days." in words(main(client.get(f"{LIST}{key.id}/")))
            assert "Not used for" not in words(main(client.get(f"{LIST}{fresh.id}/")))

    def test_few_queries(self, client, config, inside, django_assert_num_queries, store):
        key = put(config, "K", grace=timedelta(hours=1))
        # The portal and the session; the key with its old secret; its uses.
        with django_assert_num_queries({"memory": 2, "database": 5}[store]):
            client.get(f"{LIST}{key.id}/")


class TestRow24:
    """Somebody else's key, one that never was, and nonsense are one page."""

    @pytest.fixture
    def foreign(self, config):
        theirs = put(config, "Theirs", external_id="user_456", grace=timedelta(hours=1))
        elsewhere = put(PortalConfigFactory(slug="other", keyspace_id="ks_2"), "Elsewhere")
        return [theirs.id, elsewhere.id]

    @pytest.mark.parametrize("page", ["", "edit/", "rotate/", "revoke/"])
    def test_byte_for_byte(self, client, config, inside, foreign, page):
        def look(key_id):
            answer = client.get(f"{LIST}{key_id}/{page}")
            headers = {name: value for name, value in answer.items() if name != "X-Request-Id"}
            return answer.status_code, headers, REQUEST_ID.sub(b"", answer.content)

        answers = [look(one) for one in (*foreign, "key_never", "k", "nonsense-id", "%00", "ключ", "x" * 300)]
        assert answers[0][0] == 404
        assert all(answer == answers[0] for answer in answers)
        assert heading(client.get(f"{LIST}{foreign[0]}/{page}")) == "Page not found"

    def test_a_store_is_not_asked_for_what_can_be_no_id(self, client, inside, monkeypatch):
        def fail(*args):
            raise RuntimeError("asked")

        monkeypatch.setattr(type(get_key_store().store), "get_key", fail)
        for nonsense in ("k", "nonsense-id", "%00%00%00", "ключ", "x" * 300, "key%0A"):
            assert client.get(f"{LIST}{nonsense}/").status_code == 404
        assert client.get(f"{LIST}key_1/").status_code == 502

    def test_nothing_of_theirs_is_ended(self, client, config, inside, foreign):
        mine = put(config, "Mine", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(f"{LIST}{mine.id}/")), "confirmed": "1"}
        assert client.post(f"{LIST}{foreign[0]}/end-old/", form).status_code == 404
        kept = get_key_store().get_key(Owner(config, "user_456"), foreign[0])
        assert kept.old_secret is not None

    def test_a_key_that_is_gone_is_the_same(self, client, config, inside):
        key = put(config, "K")
        get_key_store().revoke_key(Owner(config, "user_123"), key.id)
        assert client.get(f"{LIST}{key.id}/").status_code == 404


class TestEndOldSecret:
    def press(self, client, key, page="", **values):
        form = {"form_token": token(client.get(f"{LIST}{page}")), **values}
        return client.post(f"{LIST}{key.id}/end-old/", form)

    def old(self, config, key):
        return get_key_store().get_key(Owner(config, "user_123"), key.id).old_secret

    @pytest.mark.parametrize("from_page", ["", "{id}/"])
    def test_it_ends_at_once_and_leads_to_the_key(self, client, config, inside, from_page):
        key = put(config, "CI", grace=timedelta(hours=1))
        answer = self.press(client, key, from_page.format(id=key.id))
        assert (answer.status_code, answer["Location"]) == (303, f"{LIST}{key.id}/")
        assert self.old(config, key) is None
        event = PortalEvent.objects.get(kind=PortalEvent.Kind.KEY_SECRET_ENDED)
        assert event.external_id == "user_123"
        page = client.get(answer["Location"])
        assert "The old secret of “CI” no longer works." in words(main(page))
        assert "End old secret now" not in main(page)

    def test_one_in_use_asks_first(self, client, config, inside):
        key = put(config, "CI", grace=timedelta(hours=1), old_in_use=True)
        answer = self.press(client, key)
        assert answer.status_code == 200
        assert heading(answer) == "End the old secret of CI?"
        assert "The old secret was used since the rotation." in words(main(answer))
        assert links(main(answer))["Keep it"] == f"{LIST}{key.id}/"
        assert self.old(config, key) is not None
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main(answer)))
        assert client.post(f"{LIST}{key.id}/end-old/", form).status_code == 303
        assert self.old(config, key) is None

    def test_row_34_in_a_frame_it_always_asks(self, client, config, inside):
        PortalConfig.objects.update(frame_ancestors=["https://app.example.com"])
        key = put(config, "CI", grace=timedelta(hours=1))
        answer = self.press(client, key)
        assert heading(answer) == "End the old secret of CI?"
        assert "was used since" not in words(main(answer))
        assert self.old(config, key) is not None

    def test_twice_is_fine(self, client, config, inside):
        key = put(config, "CI", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(LIST))}
        for _ in range(2):
            assert client.post(f"{LIST}{key.id}/end-old/", form).status_code == 303
        assert self.old(config, key) is None

    @pytest.mark.parametrize(
        ("form", "headers"),
        [
            ({}, {}),
            ({"form_token": "0" * 64}, {}),
            (None, {"Origin": "https://evil.example"}),
            (None, {"Sec-Fetch-Site": "cross-site"}),
        ],
    )
    def test_row_15_a_form_from_elsewhere_ends_nothing(self, client, config, inside, form, headers):
        key = put(config, "CI", grace=timedelta(hours=1))
        sent = {"form_token": token(client.get(LIST))} if form is None else form
        answer = client.post(f"{LIST}{key.id}/end-old/", sent, headers=headers)
        assert answer.status_code == 403
        assert heading(answer) == "This form is out of date"
        assert self.old(config, key) is not None

    def test_row_15_another_sessions_form_is_none(self, client, config, inside):
        key = put(config, "CI", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(LIST))}
        inside()
        assert client.post(f"{LIST}{key.id}/end-old/", form).status_code == 403
        assert self.old(config, key) is not None

    @pytest.mark.parametrize("in_use", [False, True])
    def test_a_preview_changes_nothing(self, client, config, inside, in_use):
        key = put(config, "CI", grace=timedelta(hours=1), old_in_use=in_use)
        form = {"form_token": token(client.get(LIST))}
        PortalSession.objects.update(preview=True)
        answer = client.post(f"{LIST}{key.id}/end-old/", form)
        assert answer.status_code == 403
        assert heading(answer) == "Changes are switched off"
        assert self.old(config, key) is not None

    @pytest.mark.parametrize(
        ("granted", "missing"), [(["keys:read"], "Rotate API keys"), (["keys:reroll"], "See API keys")]
    )
    def test_it_takes_both_capabilities(self, client, config, inside, granted, missing):
        key = put(config, "CI", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(LIST))}
        PortalSession.objects.update(capabilities=" ".join(granted))
        answer = client.post(f"{LIST}{key.id}/end-old/", form)
        assert answer.status_code == 403
        assert heading(answer) == "You can’t use this page"
        assert missing in words(main(answer))
        assert self.old(config, key) is not None

    def test_a_locked_key_stays_as_it_is(self, client, config, inside):
        key = put(config, "CI", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(LIST))}
        locked = put(config, "Locked", grace=timedelta(hours=1), locked=True)
        answer = client.post(f"{LIST}{locked.id}/end-old/", form)
        assert answer.status_code == 403
        assert heading(answer) == "This key is locked"
        assert self.old(config, locked) is not None
        assert self.old(config, key) is not None

    def test_a_store_that_cannot_rotate_has_no_such_page(self, client, config, inside, monkeypatch):
        key = put(config, "CI", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(LIST))}
        monkeypatch.setattr(type(get_key_store().store), "supports_reroll", False)
        assert client.post(f"{LIST}{key.id}/end-old/", form).status_code == 404
        assert self.old(config, key) is not None

    def test_after_the_session_ended_it_says_not_saved(self, client, config, inside):
        key = put(config, "CI", grace=timedelta(hours=1))
        form = {"form_token": token(client.get(LIST))}
        client.cookies["portal_session"] = "pat_" + "0" * 43
        answer = client.post(f"{LIST}{key.id}/end-old/", form)
        assert answer.status_code == 401
        assert "Your change was not saved." in words(main(answer))
        assert self.old(config, key) is not None

    def test_get_is_405(self, client, config, inside):
        key = put(config, "CI", grace=timedelta(hours=1))
        answer = client.get(f"{LIST}{key.id}/end-old/")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert self.old(config, key) is not None


class TestNotes:
    """What the next page says about a change."""

    @pytest.fixture
    def said(self, client, config, inside):
        """Return the browser, which is about to be told something, and its key."""
        key = put(config, "CI", grace=timedelta(hours=1))
        answer = client.post(f"{LIST}{key.id}/end-old/", {"form_token": token(client.get(LIST))})
        assert answer.status_code == 303
        return client, key

    def note(self, answer) -> str:
        found = re.search(r'<div class="note success".*?</div>', main(answer), re.DOTALL)
        return words(found[0]) if found else ""

    @pytest.mark.parametrize("page", [LIST, f"{LIST}{{id}}/"])
    def test_once(self, said, page):
        client, key = said
        assert self.note(client.get(page.format(id=key.id))) != ""
        assert self.note(client.get(page.format(id=key.id))) == ""

    def test_the_cookie_is_ours_alone(self, said):
        cookie = said[0].cookies["portal_note"]
        assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 60)

    def test_not_after_a_minute(self, said, monkeypatch):
        client, _ = said
        now = time.time() + 61
        monkeypatch.setattr("django.core.signing.time.time", lambda: now)
        assert self.note(client.get(LIST)) == ""

    def test_not_to_another_session(self, said, config):
        client, _ = said
        client.cookies["portal_session"] = sign_in(config, "user_456").secret
        assert self.note(client.get(LIST)) == ""

    @pytest.mark.parametrize("value", ["", "x", "WyJwcyIsInNhdmVkIiwiIl0:1:x"])
    def test_a_forged_one_is_none(self, said, value):
        client, _ = said
        client.cookies["portal_note"] = value
        answer = client.get(LIST)
        assert answer.status_code == 200
        assert self.note(answer) == ""

    def test_its_words_are_in_the_readers_language(self, said):
        client, key = said
        PortalConfig.objects.update(locale=LONG)
        with pseudo_languages():
            assert self.note(client.get(f"{LIST}{key.id}/")).startswith("⟦")


@pytest.mark.parametrize(
    ("what", "expected"), [("saved", "Changes saved."), ("revoked", f"“{'😀' * 100}” was revoked.")]
)
def test_what_the_other_pages_have_said(client, config, rf, what, expected):
    token = sign_in(config).secret
    session, response = authenticate_session(token), HttpResponse()
    set_note(response, rf.get("/"), session, Note(what, "😀" * 300))
    # A cookie of more than 4096 bytes is dropped.
    assert len(response.cookies["portal_note"].value) < 4000
    client.cookies["portal_session"] = token
    client.cookies["portal_note"] = response.cookies["portal_note"].value
    assert expected in words(main(client.get(LIST)))


class TestTheWayBackToTheList:
    """The list's search, filter and order stay, also over the pages about a key (ui-spec 2.7)."""

    PLACE = "?status=active&q=K+%26+%22L%22&sort=-name"

    def test_all_the_way(self, client, config, inside):
        key = put(config, 'K & "L"')
        own = f"{LIST}{key.id}/"
        listed = links(main(client.get(LIST + self.PLACE)))
        assert listed['K & "L"'] == own + self.PLACE
        for verb in ("Edit", "Rotate", "Revoke"):
            page = f"{own}{verb.lower()}/{self.PLACE}"
            assert listed[f'{verb} K & "L"'] == page
            assert links(main(client.get(own + self.PLACE)))[verb] == page
            assert own + self.PLACE in links(main(client.get(page))).values()
        assert links(main(client.get(own + self.PLACE)))["← API keys"] == LIST + self.PLACE

    def test_after_a_form(self, client, config, inside):
        key = put(config, "K")
        edit, revoke = (f"{LIST}{key.id}/{verb}/{self.PLACE}" for verb in ("edit", "revoke"))
        assert send(client, edit, name="L")["Location"] == f"{LIST}{key.id}/{self.PLACE}"
        assert send(client, revoke, understood="on")["Location"] == LIST + self.PLACE

    def test_a_key_that_cannot_be_rotated(self, client, config, inside):
        key = put(config, "K", enabled=False)
        found = links(main(client.get(f"{LIST}{key.id}/rotate/{self.PLACE}")))
        assert found["Edit K"] == f"{LIST}{key.id}/edit/{self.PLACE}"
        assert found["Back to keys"] == LIST + self.PLACE

    def test_an_order_by_use_is_kept_whatever_the_list_makes_of_it(self, client, config, inside):
        key = put(config, "K")
        assert links(main(client.get(f"{LIST}{key.id}/?sort=usage")))["← API keys"] == f"{LIST}?sort=usage"

    @pytest.mark.parametrize(
        "query", ["", "?next=https://evil.example", "?status=no&sort=no", "?q=%00", "?sort=-created", "?range=7d"]
    )
    def test_what_is_no_place_in_the_list_is_left_out(self, client, config, inside, query):
        key = put(config, "K")
        assert links(main(client.get(f"{LIST}{key.id}/{query}")))["← API keys"] == LIST
        assert links(main(client.get(f"{LIST}{key.id}/{query}")))["Edit"] == f"{LIST}{key.id}/edit/"
