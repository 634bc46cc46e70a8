"""Usage on the pages about keys: the small charts of the list, and the chart of a key (ui-spec 2.4, Keys and Key)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import ALL
from tests.pages.flow import words
from tests.pages.shelf import empty_memory_store, put
from tests.pages.usage_flow import DAY, DOWN, NOW
from tests.usage_store import BrokenUsageStore, use, use_usage_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("afternoon", "no_key_limit", "usage_store")]

LIST = "/my-portal/keys/"


def uses(answer):
    """Return the words of the column in each row, by the key's name."""
    html = answer.content.decode()
    return {
        words(name): words(cell)
        for name, cell in re.findall(
            r"<bdi>([^<]*)</bdi></a><code.*?class=\"use\" data-label=\"Last 30 days\">(.*?)</td>", html, re.DOTALL
        )
    }


def paths(answer):
    """Return the d of each path of the first small chart."""
    svg = re.search(r"<span class=\"spark\"><svg.*?</svg>", answer.content.decode(), re.DOTALL)
    return re.findall(r' d="([^"]*)"', svg[0]) if svg else []


class TestList:
    def test_the_column(self, client, config, inside):
        busy = put(config, "Busy", used=timedelta(hours=2))
        put(config, "Idle", used=41 * DAY, made=50 * DAY)
        put(config, "Unused")
        refused = put(config, "Off", enabled=False, used=97 * DAY, made=100 * DAY)
        use(config, refused.id, NOW, valid=0, disabled=4)
        use(config, busy.id, NOW - 29 * DAY, valid=1200)
        use(config, busy.id, NOW, valid=3, rate_limited=31)
        # Out of sight.
        use(config, busy.id, NOW - 30 * DAY, valid=9999)
        answer = client.get(LIST)
        assert uses(answer) == {
            "Busy": "1,234 used 2 hours ago",
            "Idle": "No requests used 41 days ago",
            "Unused": "No requests never used",
            "Off": "4 refused used 3 months ago",
        }
        assert ">Last 30 days</th>" in answer.content.decode()
        assert "Last used" not in words(answer.content.decode())

    def test_a_bar_for_each_day_the_rejected_on_top(self, client, config, inside):
        key = put(config, "K")
        # A store tells days in any order.
        use(config, key.id, NOW, valid=50, rate_limited=50)
        use(config, key.id, NOW - 29 * DAY, valid=50)
        use(config, key.id, NOW - 1 * DAY, valid=0, expired=25)
        answer = client.get(LIST)
        # The tallest has all 28 units; a bar is a stroke from where the one below it ends.
        assert paths(answer) == ["M0 28V14M29 28V14", "M28 28V21M29 14V0"]
        assert 'viewBox="-.5 0 30 28" preserveAspectRatio="none" aria-hidden="true"' in answer.content.decode()

    def test_even_one_of_a_million_is_seen_and_none_is_no_path(self, client, config, inside):
        key = put(config, "K")
        use(config, key.id, NOW - DAY, valid=1)
        use(config, key.id, NOW, valid=10**6)
        assert paths(client.get(LIST)) == ["M28 28V27M29 28V0"]

    def test_a_row_is_light(self, client, config, inside):
        key = put(config, "K")
        for day in range(30):
            use(config, key.id, NOW - day * DAY, valid=100 + 7 * day, rate_limited=90 - day)
        svg = re.search(r"<span class=\"spark\">(<svg.*?</svg>)", client.get(LIST).content.decode(), re.DOTALL)
        assert len(svg[1]) <= 700

    def test_without_the_capability_or_without_counts_it_is_as_before(self, client, config, inside, settings):
        use(config, put(config, "K").id, NOW)
        inside([one for one in ALL if one != "analytics:read"])
        assert 'data-label="Last used"' in client.get(LIST).content.decode()
        empty_memory_store(settings)
        inside()
        put(config, "K")
        assert 'data-label="Last used"' in client.get(LIST).content.decode()

    def test_less_is_kept(self, client, config, inside, settings):
        settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": 10 * DAY}
        key = put(config, "K")
        use(config, key.id, NOW - 8 * DAY)
        use(config, key.id, NOW)
        html = client.get(LIST).content.decode()
        assert ">Last 7 days</th>" in html
        assert 'viewBox="-.5 0 7 28"' in html

    def test_a_broken_store_costs_the_numbers_and_not_the_page(self, client, config, inside, settings):
        use_usage_store(settings, BrokenUsageStore)
        put(config, "K", used=timedelta(hours=2))
        answer = client.get(LIST)
        assert answer.status_code == 200
        assert uses(answer) == {"K": "– used 2 hours ago"}
        html = answer.content.decode()
        assert html.count(DOWN) == 1
        assert html.index(DOWN) < html.index("<table")

    def test_without_keys_nobody_is_asked(self, client, config, inside, usage_store):
        assert "No keys yet" in client.get(LIST).content.decode()
        put(config, "K")
        assert "No keys match" in client.get(f"{LIST}?q=zzz").content.decode()
        assert usage_store.asked == 0

    def test_one_question_for_the_keys_of_the_page(self, client, config, inside, usage_store):
        for number in range(60):
            use(config, put(config, f"Key {number:02}", made=number * timedelta(minutes=1)).id, NOW, valid=number + 1)
        shown = uses(client.get(LIST))
        assert shown == {f"Key {number:02}": f"{number + 1} never used" for number in range(25)}
        assert usage_store.asked == 1
        assert len(usage_store.asked_for) == 25


class TestAttentionCostsLittle:
    """The page may have eight statements (ui-spec 2.13), with usage and whatever its notice says."""

    @pytest.fixture(autouse=True)
    def usage_store(self, settings):
        """Let the keys be in the database."""
        settings.PORTAL = {name: value for name, value in settings.PORTAL.items() if name != "KEY_STORE"}

    @pytest.mark.parametrize("others", [0, 60])
    def test_on_this_page_or_on_another(self, client, config, inside, others):
        put(config, "One soon", ends=DAY, made=2 * DAY)
        put(config, "One in use", grace=timedelta(hours=1), old_in_use=True, made=2 * DAY)
        for number in range(others):
            put(config, f"Key {number}", grace=timedelta(hours=1))
        with CaptureQueriesContext(connection) as captured:
            html = client.get(LIST).content.decode()
        # The portal and the session; the page and its old secrets; the uses. Where there is more than the page, the counts
        # and the one of the two that is elsewhere.
        assert len(captured) == (5 if not others else 7)
        notice = words(re.search(r'<div class="note warning">.*?</div>', html, re.DOTALL)[0])
        assert "“ One soon ” expires in 1 day." in notice
        assert ("1 old secret is still in use. Show it" in notice) == bool(others)


class TestKey:
    def shown(self, client, key):
        answer = client.get(f"{LIST}{key.id}/")
        assert answer.status_code == 200
        return answer.content.decode()

    def test_its_chart(self, client, config, inside):
        key, other = put(config, "K"), put(config, "Other")
        use(config, key.id, NOW, valid=1200, rate_limited=34)
        use(config, other.id, NOW, valid=9999)
        html = self.shown(client, key)
        section = re.search(r'<section class="card panel" aria-labelledby="use">.*?</section>', html, re.DOTALL)[0]
        assert words(section).startswith("Last 30 days Valid Rate limited 1,250 1,000 750 500 250 0")
        assert words(section).endswith("1,234 requests See its usage")
        assert f'href="/my-portal/usage/?key={key.id}"' in section
        assert section.count("<g>") == 30

    @pytest.mark.parametrize(
        ("kept", "said"),
        [(90, "last 30 days"), (10, "last 7 days"), (1, "last 24 hours")],
        ids=["month", "week", "day"],
    )
    def test_what_is_refused_is_still_used(self, client, config, inside, settings, kept, said):
        settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": kept * DAY}
        key = put(config, "K", enabled=False, used=97 * DAY, made=100 * DAY)
        assert "Not used for 97 days. If nothing needs it, revoke it." in words(self.shown(client, key))
        use(config, key.id, NOW, valid=0, disabled=3, rate_limited=1)
        shown = words(self.shown(client, key))
        assert f"4 requests refused in the {said}: something still uses this key." in shown
        assert "Not used for" not in shown
        use(config, key.id, NOW, valid=1)
        assert "something still uses" not in words(self.shown(client, key))

    def test_without_a_request(self, client, config, inside):
        html = self.shown(client, put(config, "K"))
        assert re.search(r"Last 30 days</h2></div>\s*<p>No requests</p>", html)
        assert "<figure" not in html

    def test_without_the_capability(self, client, config, inside):
        key = put(config, "K")
        use(config, key.id, NOW)
        inside(["keys:read"])
        html = self.shown(client, key)
        assert "Last 30 days" not in html
        assert "/usage/" not in html

    def test_a_broken_store_costs_the_numbers_and_not_the_page(self, client, config, inside, settings):
        use_usage_store(settings, BrokenUsageStore)
        html = self.shown(client, put(config, "K"))
        assert html.count(DOWN) == 1
        assert "Key ID" in html


class TestRevoke:
    """What somebody wants to know before they end a key."""

    def facts(self, client, key):
        return words(client.get(f"{LIST}{key.id}/revoke/").content.decode())

    def test_how_often_in_the_last_week(self, client, config, inside):
        key = put(config, "K")
        use(config, key.id, NOW - 6 * DAY, valid=1200, rate_limited=34)
        use(config, key.id, NOW - 7 * DAY, valid=9999)
        assert "Last 7 days 1,234 requests" in self.facts(client, key)
        assert "Last 7 days 0 requests" in self.facts(client, put(config, "Other"))

    def test_nothing_where_it_cannot_be_said(self, client, config, inside, settings):
        key = put(config, "K")
        inside(["keys:read", "keys:delete"])
        assert "Last 7 days" not in self.facts(client, key)
        inside()
        settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": 6 * DAY}
        assert "Last 7 days" not in self.facts(client, key)
        use_usage_store(settings, BrokenUsageStore)
        assert "Last 7 days" not in self.facts(client, put(config, "K"))
