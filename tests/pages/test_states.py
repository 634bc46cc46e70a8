"""Every state has its title, its words and one thing to do next (ui-spec 2.3 and 2.4)."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from portal.pages.refusal_texts import REFUSALS
from tests.pages.flow import heading
from tests.pages.pseudo import LONG, RIGHT_TO_LEFT, pseudo_languages
from tests.pages.states import STATES

pytestmark = pytest.mark.django_db

#: Status, h1 and the label of the one main link or button.
EXPECTED = {
    "enter": (200, "Continue to Northwind Maps", "Continue"),
    "enter-somebody-else": (200, "Continue to Northwind Maps", "Continue as Bob Ferreira"),
    "no-session": (401, "Open this page from Northwind Maps", "Back to Northwind Maps"),
    "no-session-host-view": (401, "Open this page from the product that sent you", None),
    "dead-link": (401, "This link no longer works", "Back to Northwind Maps"),
    "cookies-blocked": (401, "Your browser blocked the sign-in", "Back to Northwind Maps"),
    "closed": (403, "This portal is closed", "Back to Northwind Maps"),
    "session": (200, "Your session", None),
    "session-docs-only": (200, "Your session", None),
    "session-long-names": (200, "Your session", None),
    "preview": (200, "Your session", None),
    "signed-out": (200, "You are signed out", "Back to Northwind Maps"),
    "session-ended": (401, "Your session has ended", "Back to Northwind Maps"),
    "not-saved": (401, "Your session has ended", "Back to Northwind Maps"),
    "form-out-of-date": (403, "This form is out of date", "Go to API keys"),
    "no-capability": (403, "You can’t use this page", "Go to API keys"),
    "not-found": (404, "Page not found", "Go to API keys"),
    "not-found-preview": (404, "Page not found", "Go to API keys"),
    "no-page": (404, "Page not found", "Go to the start page"),
    "unknown-slug": (404, "Page not found", None),
    "method": (405, "That didn’t work", "Back to Northwind Maps"),
    "bad-request": (400, "That didn’t work", "Back to Northwind Maps"),
    "conflict": (409, "This was done already", "Go to API keys"),
    "too-many": (429, "Too many requests", "Go to API keys"),
    "error": (500, "Something went wrong on our side", None),
    "unavailable": (503, "The portal is being updated", None),
    "keys": (200, "API keys", "Create key"),
    "keys-empty": (200, "API keys", "Create key"),
    "keys-empty-read-only": (200, "API keys", None),
    "keys-no-match": (200, "API keys", "Create key"),
    "keys-limit": (200, "API keys", None),
    "keys-read-only": (200, "API keys", None),
    "keys-preview": (200, "API keys", "Create key"),
    "keys-many": (200, "API keys", "Create key"),
    "keys-long-names": (200, "API keys", "Create key"),
    "keys-failed": (502, "Your keys can’t be shown right now", None),
    "keys-unavailable": (503, "Your keys can’t be shown right now", None),
    "key": (200, "Production server", None),
    "key-unused": (200, "Hackathon", None),
    "key-locked-look": (200, "Legacy importer", None),
    "key-long-name": (200, "W" * 100, None),
    "key-end-old": (200, "End the old secret of Data export?", None),
    "key-old-ended": (200, "Staging", None),
    "key-usage": (200, "Production server", None),
    "key-usage-none": (200, "Mobile app", None),
    "key-usage-unavailable": (200, "CI runner", None),
    "keys-usage": (200, "API keys", "Create key"),
    "keys-usage-many": (200, "API keys", "Create key"),
    "keys-usage-unavailable": (200, "API keys", "Create key"),
    "usage": (200, "Usage", None),
    "usage-hours": (200, "Usage", None),
    "usage-weeks": (200, "Usage", None),
    "usage-one-key": (200, "Usage", None),
    "usage-empty": (200, "Usage", None),
    "usage-unavailable": (200, "Usage", None),
    "usage-beyond": (200, "Usage", None),
    "usage-long-names": (200, "Usage", None),
    "key-create": (200, "Create a key", "Create key"),
    "key-create-errors": (422, "Create a key", "Create key"),
    "key-create-limit": (409, "Create a key", "Create key"),
    "key-create-full": (409, "Create a key", "Go to your keys"),
    "key-create-preview": (200, "Create a key", None),
    "reveal": (200, "Copy your new key now", "Copy key"),
    "reveal-rotated": (200, "Copy your new key now", "Copy key"),
    "already-shown": (409, "This key was already shown", "Rotate Billing worker"),
    "key-edit": (200, "Edit Production server", "Save changes"),
    "key-edit-conflict": (409, "Edit Maps, production", "Save changes"),
    "key-rotate": (200, "Rotate Production server", "Rotate key"),
    "key-rotate-used": (422, "Rotate Production server", "Rotate key"),
    "key-rotate-not-active": (409, "Rotate Production server", "Edit Production server"),
    "key-revoke": (200, "Revoke Production server?", None),
    "key-revoke-error": (422, "Revoke Production server?", None),
    "key-locked": (403, "This key is locked", "Go to API keys"),
    "changes-off": (403, "Changes are switched off", "Go to API keys"),
    "not-allowed": (403, "This is not allowed", "Back to Northwind Maps"),
    "error-page": (200, "No portal session token came with the request", None),
    "error-page-unknown": (404, "No such error", None),
}

#: Pages of no portal in particular.
NEUTRAL = {"unknown-slug", "unavailable", "no-session-host-view", "error-page", "error-page-unknown"}

#: Pages for people who are not in, or of whom nothing can be known.
OUTSIDE = {
    *NEUTRAL,
    *("enter", "enter-somebody-else", "no-session", "dead-link", "cookies-blocked", "closed", "signed-out"),
    *("no-page", "session-ended", "not-saved", "method", "bad-request", "error"),
}

#: Pages whose title is a key's name.
NAMED = {
    "key-usage",
    "key-usage-none",
    "key-usage-unavailable",
    "key",
    "key-unused",
    "key-locked-look",
    "key-long-name",
    "key-old-ended",
}


def main_actions(html):
    found = re.findall(r'<(?:a|button) class="btn main"[^>]*>\s*(.*?)\s*</(?:a|button)>', html, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", label)) for label in found]


def test_every_state_is_expected():
    assert set(EXPECTED) == set(STATES)
    shown = {name.replace("-", "_") for name in STATES}
    assert {reason for reason in REFUSALS if reason not in shown} == set()


@pytest.mark.parametrize("name", EXPECTED)
def test_status_heading_and_the_one_way_on(look, name):
    status, h1, action = EXPECTED[name]
    answer = look(name)
    assert answer.status_code == status
    assert heading(answer) == h1
    assert main_actions(answer.content.decode()) == ([action] if action else [])


def title(answer):
    return unescape(re.search(r"<title>(.*?)</title>", answer.content.decode(), re.DOTALL)[1]).strip()


def test_titles(look):
    assert title(look("enter")) == "Continue to Northwind Maps – Northwind Maps"
    assert title(look("session")) == "Your session – Northwind Maps"
    assert title(look("preview")) == "Preview: Your session – Northwind Maps"
    assert title(look("not-found-preview")) == "Preview: Page not found – Northwind Maps"
    assert title(look("unknown-slug")) == "Page not found"


class Outline(HTMLParser):
    """Collects what landmarks and ids a page has, and its visible words but for those that nobody translates."""

    VOID = frozenset({"meta", "link", "input", "img", "path", "circle", "rect", "br"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.ids, self.words, self.open, self.spared = [], [], [], [], []
        self.feed(html)
        assert self.open == [], "unclosed tags"

    def handle_starttag(self, tag, attributes):
        # A chart's bars have titles too, which are none of the page.
        if "svg" not in self.open:
            self.tags.append(tag)
        values = dict(attributes)
        if "id" in values:
            self.ids.append(values["id"])
        self.words += [values[name] for name in ("aria-label", "title", "placeholder") if values.get(name)]
        if tag not in self.VOID:
            self.open.append(tag)
            self.spared.append(tag == "bdi" or values.get("translate") == "no" or (self.spared or [False])[-1])

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.spared.pop()

    def handle_data(self, data):
        if data.strip() and self.open and self.open[-1] != "title" and not self.spared[-1]:
            self.words.append(data.strip())


@pytest.mark.parametrize("name", STATES)
def test_landmarks_and_order(look, name):
    html = look(name).content.decode()
    outline = Outline(html)
    for once in ("h1", "main", "title"):
        assert outline.tags.count(once) == 1
    neutral = name in NEUTRAL
    assert (outline.tags.count("header"), outline.tags.count("footer")) == ((0, 0) if neutral else (1, 1))
    assert len(outline.ids) == len(set(outline.ids))
    assert {"main", "live"} <= set(outline.ids)
    places = [
        html.find(piece)
        for piece in ('class="skip"', "<header", '<main id="main" tabindex="-1"', "<footer", 'id="live"')
    ]
    places = [place for place in places if place >= 0]
    assert places == sorted(places)
    assert "{%" not in html
    assert "{{" not in html
    assert '<html lang="en" dir="ltr">' in html


@pytest.mark.parametrize("name", STATES)
def test_row_17_who_is_inside_sees_who_and_how_to_leave(look, name):
    answer = look(name)
    html = answer.content.decode()
    inside = 'class="acts"' in html
    assert inside == (name not in OUTSIDE)
    if inside:
        assert "/my-portal/session/end/" in html
        assert 'class="who"' in html
        assert "Your session ends" in html


@pytest.mark.parametrize("name", ["preview", "not-found-preview"])
def test_the_preview_banner_says_who_and_how_to_leave(look, name):
    html = look(name).content.decode()
    assert re.search(r"You see the portal as\s+<strong><bdi>user_123</bdi></strong>", html)
    assert "Leave preview" in html
    assert "Leave preview" not in look("session").content.decode()


#: Names and values in the pages that nobody translates.
UNTRANSLATED = re.compile(
    r"Northwind Maps|Ada Wong|Bob Ferreira|user_\d+|org_\w+|x{256}|(Wolfeschlegelsteinhausenbergerdorff 😀 ?)+|N|·"
    r"|req_\w+|.* UTC|[\d.,:– ]+|[↑↓]"
)


@pytest.mark.parametrize("name", STATES)
def test_every_word_is_translated(look, name):
    with pseudo_languages():
        answer = look(name, locale=LONG)
        # Without a portal the browser decides.
        if 'lang="de"' not in answer.content.decode():
            assert name in NEUTRAL
            return
        html = answer.content.decode()
        while "⟦" in html:
            html = re.sub(r"⟦[^⟦⟧]*⟧", "", html)
        left = [word for word in Outline(html).words if not UNTRANSLATED.fullmatch(word)]
    assert left == []
    assert title(answer).startswith("⟦") or name in NAMED


@pytest.mark.parametrize("name", ["session", "enter", "unknown-slug"])
def test_the_browsers_language_counts_last(look, client, config, name):
    with pseudo_languages():
        for headers, locale, expected in (
            ({}, "", "en"),
            ({"Accept-Language": "de"}, "", "de"),
            ({"Accept-Language": "de"}, "ar", "ar"),
            ({"Accept-Language": "xx"}, "xx", "en"),
        ):
            config.locale = locale
            config.save()
            answer = client.get("/my-portal/", headers=headers)
            assert f'<html lang="{expected}"' in answer.content.decode()
            assert answer["Content-Language"] == expected


def test_a_sessions_language_comes_first(look, client, config):
    from portal.models import PortalSession
    from tests.factories import mint
    from tests.pages.flow import enter, open_link

    config.locale = LONG
    config.save()
    session, code = mint(config)
    PortalSession.objects.filter(pk=session.pk).update(locale=RIGHT_TO_LEFT)
    with pseudo_languages():
        assert '<html lang="ar" dir="rtl">' in open_link(client, code).content.decode()
        enter(client, code)
        assert '<html lang="ar" dir="rtl">' in client.get("/my-portal/session/").content.decode()
        assert '<html lang="ar" dir="rtl">' in client.get("/my-portal/session/end/").content.decode()


def test_times_say_utc(look):
    html = look("session").content.decode()
    assert re.search(r'<time datetime="20[0-9-]+T[0-9:]+Z" data-local>\d+ \w{3} 20\d\d, \d\d:\d\d UTC</time>', html)


def test_lengths_of_time(look, settings):
    from datetime import timedelta

    settings.PORTAL = {"SESSION_TTL": timedelta(hours=1), "CODE_TTL": timedelta(seconds=90)}
    assert "Sessions last 1 hour." in look("session-ended").content.decode()
    assert "only for 90 seconds." in look("dead-link").content.decode()
    settings.PORTAL = {"CODE_TTL": timedelta(minutes=1)}
    assert "only for 1 minute." in look("dead-link").content.decode()
    assert "Wait 42 seconds" in look("too-many").content.decode()
