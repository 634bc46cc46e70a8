"""What the rows of the list share, made once a page: addresses, words and badges, each still its own row's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType

import pytest
from django.template import Context, Template
from django.urls import include, path
from django.utils import translation
from django.utils.formats import date_format

from tests.pages.flow import words
from tests.pages.shelf import put
from tests.pages.test_elements import override

__all__ = ["override"]

pytestmark = pytest.mark.django_db

LIST = "/my-portal/keys/"
DAY = timedelta(days=1)


def rows(answer):
    """Return the HTML of each row, by the name of its key."""
    html = re.search(r"<tbody.*</tbody>", answer.content.decode(), re.DOTALL)[0]
    return {re.search(r"<bdi>([^<]*)</bdi>", row)[1]: row for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)}


def addresses(row):
    """Return where the links of a row lead, by their words."""
    return {words(label): href for href, label in re.findall(r'href="([^"]*)">(.*?)</a>', row)}


class TestAddresses:
    def expected(self, start, key):
        own = f"{start}{key.id}/"
        return {
            key.name: own,
            f"Edit {key.name}": f"{own}edit/",
            f"Rotate {key.name}": f"{own}rotate/",
            f"Revoke {key.name}": f"{own}revoke/",
        }

    def test_each_row_leads_to_its_own_key(self, client, config, inside):
        keys = [put(config, name) for name in ("One", "Two", "Three")]
        found = rows(client.get(LIST))
        assert {name: addresses(row) for name, row in found.items()} == {
            key.name: self.expected(LIST, key) for key in keys
        }

    def test_the_place_in_the_list_goes_along_as_html(self, client, config, inside):
        key = put(config, "One")
        found = addresses(rows(client.get(LIST, {"q": "on", "sort": "name"}))["One"])
        assert found["Edit One"] == f"{LIST}{key.id}/edit/?q=on&amp;sort=name"

    def test_below_a_prefix_that_looks_like_a_key(self, client, config, inside, settings):
        urls = ModuleType("urls")
        urls.urlpatterns = [path("KEY/edit/", include("portal.urls"))]  # type: ignore[attr-defined]
        settings.ROOT_URLCONF = urls
        key = put(config, "KEY")
        found = rows(client.get(f"/KEY/edit{LIST}"))
        assert addresses(found["KEY"]) == self.expected(f"/KEY/edit{LIST}", key)

    def test_below_a_prefix_that_html_has_another_meaning_for(self, client, config, inside, settings):
        urls = ModuleType("urls")
        urls.urlpatterns = [path("r&d'/", include("portal.urls"))]  # type: ignore[attr-defined]
        settings.ROOT_URLCONF = urls
        key = put(config, "One")
        found = addresses(rows(client.get(f"/r&d'{LIST}"))["One"])
        assert found == self.expected(f"/r&amp;d&#x27;{LIST}", key)

    def test_what_is_not_offered_is_absent(self, client, config, inside):
        put(config, "On")
        put(config, "Off", ends=-DAY)
        put(config, "Locked", locked=True)
        found = {name: [text.split()[0] for text in addresses(row)] for name, row in rows(client.get(LIST)).items()}
        assert found == {
            "On": ["On", "Edit", "Rotate", "Revoke"],
            "Off": ["Off", "Edit", "Revoke"],
            "Locked": ["Locked"],
        }


def test_each_row_has_its_own_badge_as_the_host_draws_it(client, config, inside, override):
    override("portal/elements/badge.html", "[{{ kind }}|{{ slot }}]")
    put(config, "One")
    put(config, "Two", ends=DAY)
    put(config, "Three", locked=True, grace=DAY)
    put(config, "Four")
    badges = {name: re.findall(r"\[(\w+)\|([\w ]*)", row) for name, row in rows(client.get(LIST)).items()}
    assert badges == {
        "One": [("ok", "Active")],
        "Two": [("warn", "Expires soon")],
        "Three": [("locked", "Locked"), ("clock", "")],
        "Four": [("ok", "Active")],
    }


@pytest.mark.parametrize("language", ["en", "fr", "ar", "ja"])
@pytest.mark.parametrize("month", range(1, 13))
def test_a_moment_is_what_django_makes_of_it_in_utc(language, month):
    value = datetime(2026, month, 1, 23, 5, 9, 999, tzinfo=timezone(-2 * timedelta(hours=1)))
    utc = value.astimezone(UTC)
    with translation.override(language):
        html = Template("{% load portal %}{{ value|moment }}").render(Context({"value": value}))
        expected = date_format(utc, "j M Y, H:i", use_l10n=False)
    assert html == f'<time datetime="2026-{month:02}-02T01:05:09Z" data-local>{expected} UTC</time>'
