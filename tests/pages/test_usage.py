"""How often keys were used (ui-spec 2.4, Usage): ranges, keys, figures, chart, tables, and what goes wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import chain, repeat

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import clock
from portal.contrib.keys.models import ApiKey
from tests.contrib.keys.counting import count
from tests.factories import PortalConfigFactory
from tests.pages.flow import heading, words
from tests.pages.pseudo import LONG, RIGHT_TO_LEFT, pseudo_languages
from tests.pages.shelf import empty_memory_store, put
from tests.pages.usage_doubles import SummaryUsageStore
from tests.pages.usage_flow import CSV, DAY, DOWN, HOUR, NOW, USAGE, figures, part, table
from tests.usage_store import BrokenUsageStore, UsageStore, use, use_usage_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("afternoon", "no_key_limit", "usage_store")]


@pytest.fixture
def shown(client, inside):
    """Return ``shown(query)``, which returns the page's HTML."""

    def show(query=""):
        answer = client.get(USAGE + query)
        assert answer.status_code == 200
        return answer.content.decode()

    return show


def legend(html):
    return re.findall(r"</svg>(.*?)</li>", part(html, r'<ul class="leg">.*?</ul>'))


class TestWhoMaySeeIt:
    def test_the_tab(self, client, inside):
        tabs = part(client.get("/my-portal/keys/").content.decode(), r'<nav class="tabs".*?</nav>')
        assert words(tabs) == "API keys Usage"
        assert f'href="{USAGE}"' in tabs

    def test_without_the_capability(self, client, inside):
        inside(["keys:read"])
        assert 'class="tabs"' not in client.get("/my-portal/keys/").content.decode()
        for path in (USAGE, CSV):
            answer = client.get(path)
            assert answer.status_code == 403
            assert heading(answer) == "You can’t use this page"
            assert "See usage" in words(answer.content.decode())

    def test_a_store_that_does_not_count_has_no_such_page(self, client, inside, settings):
        empty_memory_store(settings)
        assert 'class="tabs"' not in client.get("/my-portal/keys/").content.decode()
        for path in (USAGE, CSV):
            assert client.get(path).status_code == 404

    def test_without_keys_read_it_is_where_one_lands_and_keys_have_ids_only(self, client, config, inside):
        key = put(config, "Production server")
        use(config, key.id, NOW)
        inside(["analytics:read"])
        assert client.get("/my-portal/")["Location"] == USAGE
        html = client.get(USAGE).content.decode()
        assert "Production server" not in html
        assert f'<option value="{key.id}"' in html
        # Not called revoked: nobody looked.
        assert table(html, 1) == [[key.id, "1", "0", "100%"]]
        assert f"/keys/{key.id}/" not in html
        assert "Production" not in client.get(CSV).getvalue().decode()

    def test_a_preview_may_look(self, client, inside):
        inside(preview=True)
        assert client.get(USAGE).status_code == 200

    @pytest.mark.parametrize("method", ["post", "put", "delete"])
    @pytest.mark.parametrize("path", [USAGE, CSV])
    def test_other_methods_are_405(self, client, inside, method, path):
        assert getattr(client, method)(path)["Allow"] == "GET, HEAD"

    def test_row_24_only_the_sessions_own_keys(self, config, shown):
        other = PortalConfigFactory(slug="other", keyspace_id="ks_2")
        theirs, elsewhere = put(config, "Theirs", external_id="user_456"), put(other, "Elsewhere")
        use(config, theirs.id, NOW, external_id="user_456")
        use(other, elsewhere.id, NOW)
        put(config, "Mine")
        for query in ("", f"?key={theirs.id}", f"?key={elsewhere.id}", "?key=key_0"):
            html = shown(query)
            assert "No requests in the last 30 days." in html
            assert "Theirs" not in html
            assert "Elsewhere" not in html


class TestRanges:
    def test_the_four_of_ninety_days(self, config, shown):
        put(config, "K")
        html = shown()
        nav = part(html, r'<nav class="seg" aria-label="Time range">.*?</nav>')
        assert words(nav) == "24 hours 7 days 30 days 90 days"
        assert words(part(nav, r'<a [^>]*aria-current="true">.*?</a>')) == "30 days"
        assert re.findall(r'href="(.*?)"', nav) == [f"{USAGE}?range={name}" for name in ("24h", "7d")] + [
            USAGE,
            f"{USAGE}?range=90d",
        ]
        assert "<title>Usage, last 30 days" in html

    @pytest.mark.parametrize(
        ("name", "title", "per", "first", "last", "bars"),
        [
            ("24h", "Usage, last 24 hours", "Requests per hour (UTC)", "23 Nov, 15:00", "24 Nov, 14:00", 24),
            ("7d", "Usage, last 7 days", "Requests per day (UTC)", "18 Nov", "24 Nov", 7),
            ("30d", "Usage, last 30 days", "Requests per day (UTC)", "26 Oct", "24 Nov", 30),
            ("90d", "Usage, last 90 days", "Requests per week (UTC)", "Week of 27 Aug", "Week of 18 Nov", 13),
            ("no such", "Usage, last 30 days", "Requests per day (UTC)", "26 Oct", "24 Nov", 30),
        ],
    )
    def test_each_ends_with_the_present_hour_or_day(self, config, shown, name, title, per, first, last, bars):
        use(config, put(config, "K").id, NOW)
        html = shown(f"?range={name}")
        assert f"<title>{title} " in html
        assert f"{per}</h2>" in html
        rows = table(html)
        assert (rows[0][0], rows[-1][0], len(rows)) == (first, last, bars)
        assert rows[-1][1] == "1"

    @pytest.mark.parametrize(("name", "length"), [("24h", 24 * HOUR), ("7d", 7 * DAY), ("30d", 30 * DAY)])
    def test_what_is_a_moment_older_does_not_count(self, config, shown, name, length):
        unit = HOUR if name == "24h" else DAY
        end = NOW - (NOW - datetime(2026, 1, 1, tzinfo=UTC)) % unit + unit
        key = put(config, "K")
        use(config, key.id, end - length, valid=2)
        use(config, key.id, end - length - timedelta(seconds=1), valid=40)
        assert figures(shown(f"?range={name}"))["Requests"][0] == "2"

    @pytest.mark.parametrize(
        ("days", "names", "shown_range", "note"),
        [
            (30, "24 hours 7 days 30 days", "30 days", "Usage is kept for 30 days, so that is the longest range."),
            (29, "24 hours 7 days", "7 days", "Usage is kept for 29 days, so 7 days is the longest range."),
            (7, "24 hours 7 days", "7 days", "Usage is kept for 7 days, so that is the longest range."),
            (1, "24 hours", "24 hours", "Usage is kept for 1 day, so 24 hours is the longest range."),
        ],
    )
    def test_none_is_longer_than_what_is_kept(self, config, shown, settings, days, names, shown_range, note):
        put(config, "K")
        settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": days * DAY}
        html = shown("?range=90d")
        nav = part(html, r'<nav class="seg".*?</nav>')
        assert words(nav) == names
        assert words(part(nav, r'<a [^>]*aria-current="true">.*?</a>')) == shown_range
        assert note in html
        # Who did not ask for it is not told.
        assert "Usage is kept" not in shown()
        assert "Usage is kept" not in shown("?range=nonsense")


class TestFigures:
    def test_all_four(self, config, shown):
        key = put(config, "K")
        use(config, key.id, NOW - 2 * DAY, valid=1000, rate_limited=20, expired=3)
        use(config, key.id, NOW, valid=234)
        assert figures(shown()) == {
            "Requests": ["1,257", "None in the previous 30 days"],
            "Valid": ["98.1%", "1,234 requests"],
            "Rejected": ["23", "Mostly rate limited"],
            "Busiest day": ["22 Nov", "1,023 requests"],
        }

    def test_without_a_key_there_is_nothing_to_choose_from(self, config, client, inside, shown):
        html = words(part(shown(), r"<main.*</main>"))
        assert "No keys yet Create a key to make your first request. Create key" in html
        assert "30 days" not in html
        assert 'href="/my-portal/keys/new/"' in shown()
        inside(["keys:read", "analytics:read"])
        assert "Ask Northwind Maps for a key." in words(shown())
        # Who may not see keys, asks about one, or had one: there may be something to see.
        inside(["analytics:read"])
        assert "No keys yet" not in shown()
        inside()
        assert "No keys yet" not in shown("?key=key_gone")
        use(config, "key_gone", NOW)
        assert "No keys yet" not in shown()

    def test_without_a_request(self, config, shown):
        put(config, "K")
        html = shown()
        assert figures(html) == {
            "Requests": ["0"],
            "Valid": ["–", "0 requests"],
            "Rejected": ["0"],
            "Busiest day": ["–", "0 requests"],
        }
        assert "<figure" not in html
        assert "<table" not in html
        assert "No requests in the last 30 days. Make one, and it appears here soon." in html
        assert "No requests in the last 24 hours. Make one" in shown("?range=24h")

    def test_the_busiest_hour(self, config, shown):
        key = put(config, "K")
        use(config, key.id, NOW - HOUR, valid=2)
        use(config, key.id, NOW, valid=1)
        assert figures(shown("?range=24h"))["Busiest hour"] == ["24 Nov, 13:00", "2 requests"]

    @pytest.mark.parametrize(
        ("counts", "expected"),
        [
            ({"valid": 1}, "100%"),
            ({"valid": 9999, "expired": 1}, "99.9%"),
            ({"valid": 1, "expired": 1}, "50%"),
            ({"valid": 0, "expired": 1}, "0%"),
        ],
    )
    def test_all_valid_is_said_only_when_it_is_true(self, config, shown, counts, expected):
        use(config, put(config, "K").id, NOW, **counts)
        assert figures(shown())["Valid"][0] == expected

    @pytest.mark.parametrize(
        ("counts", "expected"),
        [
            ({"rate_limited": 2, "expired": 1}, "Mostly rate limited"),
            ({"usage_exceeded": 1}, "Mostly usage exceeded"),
            ({"expired": 1, "disabled": 1, "forbidden": 1}, "Mostly expired or disabled"),
            ({"insufficient_permissions": 1}, "Mostly insufficient permissions"),
            ({"forbidden": 1}, "Mostly for other reasons"),
            ({"rate_limited": 1, "forbidden": 1}, "For several reasons"),
        ],
    )
    def test_why_requests_were_rejected(self, config, shown, counts, expected):
        use(config, put(config, "K").id, NOW, valid=100, **counts)
        assert figures(shown())["Rejected"][1] == expected

    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            (100, 108, "Up 8% from the previous 7 days"),
            (100, 50, "Down 50% from the previous 7 days"),
            (100, 0, "Down 100% from the previous 7 days"),
            (1000, 1004, "Same as the previous 7 days"),
            (1, 21, "Up 2,000% from the previous 7 days"),
        ],
    )
    def test_compared_with_as_long_before(self, config, shown, before, now, expected):
        key = put(config, "K")
        use(config, key.id, NOW - 8 * DAY, valid=before)
        use(config, key.id, NOW - DAY, valid=now)
        # The day that still runs, and the one like it, are left out: today is not over.
        use(config, key.id, NOW - 7 * DAY, valid=5000)
        use(config, key.id, NOW, valid=1)
        assert figures(shown("?range=7d"))["Requests"][1] == expected

    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            (0, 5, "None in the previous 7 days"),
            (1906, 5000, "Up 162% from the previous 7 days"),
            (1906, 953, "Down 50% from the previous 7 days"),
        ],
    )
    def test_none_before_is_said_of_the_whole_time_before(self, config, shown, before, now, expected):
        key = put(config, "K")
        use(config, key.id, NOW - 7 * DAY, valid=before)
        use(config, key.id, NOW, valid=now)
        assert figures(shown("?range=7d"))["Requests"][1] == expected

    def test_an_hour_that_ends_meanwhile_moves_both_times_or_none(self, config, shown):
        key = put(config, "K")
        first = NOW.replace(minute=0) - 23 * HOUR
        for moment in (first, first - 24 * HOUR):
            use(config, key.id, moment)
        found = []
        for looks in range(20):
            now = chain(repeat(NOW.replace(minute=59), looks), repeat(NOW.replace(minute=59) + HOUR))
            with clock.using(lambda now=now: next(now)):
                found.append(figures(shown("?range=24h"))["Requests"])
        # The hours before lose their first one only together with these.
        after, before = ["0", "Down 100% from the previous 24 hours"], ["1", "Same as the previous 24 hours"]
        assert sorted(found) == found
        assert {tuple(one) for one in found} == {tuple(after), tuple(before)}

    def test_what_is_not_kept_is_not_compared_with(self, config, shown, settings):
        use(config, put(config, "K").id, NOW - DAY)
        assert len(figures(shown("?range=90d"))["Requests"]) == 1
        settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": 59 * DAY}
        assert len(figures(shown())["Requests"]) == 2
        settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": 58 * DAY}
        assert len(figures(shown())["Requests"]) == 1


class TestChart:
    def test_outcomes_in_the_order_of_the_stack(self, config, shown):
        counts = {"rate_limited": 1, "usage_exceeded": 2, "expired": 3, "disabled": 4, "insufficient_permissions": 5}
        use(config, put(config, "K").id, NOW, valid=10, forbidden=6, **counts)
        html = shown()
        names = [
            *("Valid", "Rate limited", "Usage exceeded", "Expired or disabled", "Insufficient permissions", "Other"),
        ]
        assert legend(html) == names
        assert table(html)[-1] == ["24 Nov", "10", "1", "2", "7", "5", "6"]
        stack = re.findall(r'<rect class="s-(\w+)" x="[\d.]+" y="([\d.]+)"', part(html, r"<figure.*?</figure>"))
        assert [name for name, _ in stack] == ["valid", "limited", "exceeded", "ended", "permission", "other"]
        # From the bottom up.
        assert sorted((float(y) for _, y in stack), reverse=True) == [float(y) for _, y in stack]

    def test_outcomes_that_never_happened_are_left_out(self, config, shown):
        use(config, put(config, "K").id, NOW, valid=1, forbidden=1)
        html = shown()
        assert legend(html) == ["Valid", "Other"]
        assert table(html)[0] == ["26 Oct", "0", "0"]

    @pytest.mark.parametrize(
        ("most", "top"),
        [
            (1, 5),
            (5, 5),
            (6, 10),
            (11, 15),
            (16, 20),
            (26, 30),
            (51, 60),
            (61, 75),
            (101, 125),
            (126, 150),
            (2134, 2500),
            (5364, 6000),
        ],
    )
    def test_the_numbers_beside_it_are_round_and_reach_the_tallest_bar(self, config, shown, most, top):
        use(config, put(config, "K").id, NOW, valid=most)
        steps = re.findall(r"<span>([\d,]+)</span>", part(shown(), r'<div class="ys.*?</div>'))
        assert [int(step.replace(",", "")) for step in steps] == [top * number // 5 for number in range(5, -1, -1)]

    def test_even_one_of_a_million_is_seen(self, config, shown):
        use(config, put(config, "K").id, NOW, valid=999_999, rate_limited=1)
        assert re.search(r'<rect class="s-limited"[^>]* height="1\.2"', shown())

    def test_six_marks_below_the_axis(self, config, shown):
        use(config, put(config, "K").id, NOW)
        for name, marks in (
            ("30d", ["26 Oct", "31 Oct", "5 Nov", "10 Nov", "15 Nov", "20 Nov"]),
            ("24h", ["15:00", "19:00", "23:00", "03:00", "07:00", "11:00"]),
            ("7d", [f"{day} Nov" for day in range(18, 25)]),
            ("90d", ["27 Aug", "16 Sep", "7 Oct", "28 Oct"]),
        ):
            axis = part(shown(f"?range={name}"), r'<ul class="xs.*?</ul>')
            found = re.findall(r"<li( class=\"minor\")?>([^<]+)</li>", axis)
            assert [mark for _, mark in found] == marks
            # Phones have every second one.
            assert [bool(minor) for minor, _ in found] == [place % 2 == 1 for place in range(len(marks))]

    def test_what_is_said_of_it(self, config, shown):
        key = put(config, "K")
        use(config, key.id, NOW - 12 * DAY, valid=1, rate_limited=412)
        use(config, key.id, NOW, valid=1000)
        html = shown()
        svg = part(html, r"<svg viewBox=\"0 0 600 200\"[^>]*>")
        assert 'role="img" aria-labelledby="chart-words"' in svg
        assert words(part(html, r'<figcaption id="chart-words".*?</figcaption>')) == (
            "Stacked bars from 26 Oct to 24 Nov, in UTC. 1,413 requests, 412 rejected. Busiest: 24 Nov, 1,000"
            " requests. Most rejected: 12 Nov, 412 requests."
        )
        titles = re.findall(r"<title>(.*?)</title>", part(html, r"<figure.*?</figure>"), re.DOTALL)
        assert titles[-13] == "12 Nov\nValid: 1\nRate limited: 412"
        assert titles[0] == "26 Oct"

    def test_nothing_rejected_has_no_peak(self, config, shown):
        use(config, put(config, "K").id, NOW)
        assert "1 request, 0 rejected. Busiest: 24 Nov, 1 request.</figcaption>" in shown()

    def test_it_needs_no_style_and_no_script(self, config, shown):
        use(config, put(config, "K").id, NOW, valid=3, rate_limited=1)
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?! src)", shown())

    def test_lengths_are_written_one_way_in_every_language(self, config, client, inside):
        key = put(config, "K")
        use(config, key.id, NOW - DAY, valid=1234)
        use(config, key.id, NOW, valid=3333)
        config.locale = LONG
        config.save()
        inside()
        with pseudo_languages():
            html = client.get(USAGE).content.decode()
        assert '<dd class="num">4.567</dd>' in html
        for attribute in re.findall(r' (?:x|y|width|height)="([^"]*)"', part(html, r"<figure.*?</figure>")):
            assert re.fullmatch(r"\d+(\.\d)?", attribute)

    def test_left_to_right_in_every_language(self, config, client, inside):
        use(config, put(config, "K").id, NOW)
        config.locale = RIGHT_TO_LEFT
        config.save()
        inside()
        with pseudo_languages():
            html = client.get(USAGE).content.decode()
        assert 'dir="rtl"' in html
        assert '<figure class="plot">' in html


class TestByKey:
    def test_the_most_used_first_with_its_share(self, config, shown):
        small, large = put(config, "Small"), put(config, "Large")
        use(config, small.id, NOW, valid=1)
        use(config, large.id, NOW, valid=1, rate_limited=2)
        html = shown()
        assert table(html, 1) == [["Large", "1", "2", "75%"], ["Small", "1", "0", "25%"]]
        assert f'<a href="/my-portal/keys/{large.id}/"><bdi>Large</bdi></a>' in html
        assert '<rect class="s-valid" width="75" height="8" />' in html

    def test_some_is_more_than_none(self, config, shown):
        small, large = put(config, "Small"), put(config, "Large")
        use(config, small.id, NOW, valid=1)
        use(config, large.id, NOW, valid=1000)
        assert [row[-1] for row in table(shown(), 1)] == ["100%", "<1%"]

    def test_a_key_that_is_gone(self, config, shown):
        use(config, "key_gone", NOW)
        html = shown()
        assert table(html, 1) == [["Revoked key key_gone", "1", "0", "100%"]]
        assert "/keys/key_gone/" not in html
        assert '<option value="key_gone"' in html

    def test_many_keys_and_the_rest(self, config, shown):
        for number in range(28):
            use(config, put(config, f"Worker {number:02}").id, NOW, valid=100 - number)
        rows = table(shown(), 1)
        assert len(rows) == 26
        assert rows[0][0] == "Worker 00"
        assert rows[-1] == ["3 other keys", str(75 + 74 + 73), "0", "9%"]

    def test_other_keys_with_nothing_that_counts(self, config, shown, settings):
        """A summary that tells of others, and only of requests with keys that nobody has: there are no parts of nothing."""
        use_usage_store(settings, SummaryUsageStore)
        for number in range(2):
            use(config, put(config, f"Worker {number}").id, NOW, valid=0, not_found=5)
        html = shown()
        assert "No requests in the last 30 days." in html
        assert 'id="by-key"' not in html

    def test_names_of_a_user_with_very_many_keys(self, config, shown, settings):
        """A store that sums up may say none: beyond the newest 300 a key has no name then, and is not called revoked."""
        for kind in (UsageStore, SummaryUsageStore):
            use_usage_store(settings, kind)
            with clock.using(lambda: NOW - DAY):
                oldest = put(config, "Oldest")
            for number in range(300):
                newest = put(config, f"Worker {number}")
            use(config, oldest.id, NOW, valid=2)
            use(config, newest.id, NOW)
            html = shown()
            assert table(html, 1)[0][0] == oldest.id
            assert f'translate="no">{oldest.id}</option>' in html
            # The one that the address names is asked for.
            for key_id, name in ((oldest.id, "Oldest"), ("key_gone", "key_gone")):
                chosen = f'<option value="{key_id}" selected dir="auto" translate="no">{name}</option>'
                assert chosen in shown(f"?key={key_id}")

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\u202eb", "{{ key.id }}", "%(n)d"])
    def test_row_35_names_are_text(self, config, shown, name):
        use(config, put(config, name).id, NOW)
        html = shown()
        assert f"<bdi>{name}</bdi>" in unescape(html)
        assert "<script>alert" not in html


class TestOneKey:
    def test_its_numbers_alone(self, config, shown):
        one, two = put(config, "One"), put(config, "Two")
        use(config, one.id, NOW, valid=3)
        use(config, two.id, NOW, valid=40)
        html = shown(f"?key={one.id}")
        assert figures(html)["Requests"][0] == "3"
        assert 'id="by-key"' not in html
        assert re.search(rf'<option value="{one.id}" selected[^>]*>One</option>', html)
        assert html.count(" selected") == 1

    def test_one_question_where_the_answer_about_all_keys_has_it(self, config, shown, usage_store):
        used, unused = put(config, "Used").id, put(config, "Unused").id
        use(config, used, NOW, valid=3)
        for key_id, found in ((used, "3"), (unused, "0")):
            usage_store.asked = 0
            assert figures(shown(f"?key={key_id}"))["Requests"][0] == found
            assert usage_store.asked == 1

    def test_a_key_among_the_others_is_asked_for(self, config, shown, settings):
        store = use_usage_store(settings, SummaryUsageStore)
        most, least = put(config, "Most").id, put(config, "Least").id
        use(config, most, NOW, valid=9)
        use(config, least, NOW, valid=2)
        for key_id, found, questions in ((most, "9", 1), (least, "2", 2)):
            store.asked = 0
            assert figures(shown(f"?key={key_id}"))["Requests"][0] == found
            assert store.asked == questions

    def test_range_and_key_stay_together(self, config, shown):
        key = put(config, "One")
        use(config, key.id, NOW)
        html = shown(f"?range=7d&key={key.id}")
        assert f'href="{USAGE}?range=24h&amp;key={key.id}"' in html
        assert f'href="{USAGE}?key={key.id}"' in html
        assert '<input type="hidden" name="range" value="7d">' in html
        assert f'href="/my-portal/usage.csv?range=7d&amp;key={key.id}" download' in html
        assert 'name="range"' not in shown()

    def test_one_that_is_gone_stays_chosen_where_it_was_not_used(self, config, shown):
        use(config, "key_gone", NOW - 10 * DAY)
        html = shown("?range=24h&key=key_gone")
        assert 'value="key_gone" selected' in html
        assert "No requests in the last 24 hours." in html

    @pytest.mark.parametrize("key_id", ["x", "a-b", "key_ü", "%00", "k" * 256, "<b>"])
    def test_what_can_be_no_id_counts_as_left_out(self, config, shown, key_id):
        use(config, put(config, "K").id, NOW)
        html = shown(f"?key={key_id}")
        assert figures(html)["Requests"][0] == "1"
        assert " selected" not in html


def test_a_broken_store_costs_the_numbers_and_not_the_page(config, shown, settings):
    use_usage_store(settings, BrokenUsageStore)
    key = put(config, "K")
    html = shown(f"?range=7d&key={key.id}")
    assert DOWN in html
    assert f'<a href="{USAGE}?range=7d&amp;key={key.id}">Try again</a>' in html
    assert "<figure" not in html
    assert 'class="card strip"' not in html
    # The way to other ranges and keys stays.
    assert 'aria-label="Time range"' in html
    assert re.search(rf'<option value="{key.id}" selected[^>]*>K</option>', html)


def test_days_are_those_of_utc_whatever_the_hosts_zone(config, shown, settings):
    """Clocks in Berlin go back on 25 October 2026, whose day has 25 hours there."""
    settings.TIME_ZONE = "Europe/Berlin"
    key = put(config, "K")
    change = datetime(2026, 10, 25, tzinfo=UTC)
    for moment in (
        change - timedelta(seconds=1),
        change,
        change + 24 * HOUR - timedelta(seconds=1),
        change + 24 * HOUR,
    ):
        use(config, key.id, moment)
    with clock.using(lambda: change + 5 * DAY):
        rows = dict(table(shown("?range=7d")))
    assert rows == {
        **{f"{day} Oct": "0" for day in range(27, 31)},
        **{"24 Oct": "1", "25 Oct": "2", "26 Oct": "1"},
    }


@pytest.fixture
def old_and_busy(config, settings, usage_store):
    """Have 700 keys in the database: the five oldest used, two of them revoked."""
    settings.PORTAL = {name: value for name, value in settings.PORTAL.items() if name != "KEY_STORE"}
    owner = {"keyspace_id": config.keyspace, "external_id": "user_123", "start": "sk_"}
    keys = ApiKey.objects.bulk_create(
        ApiKey(
            public_id=f"key_{number:03}",
            name=f"Worker {number}",
            created_at=NOW - timedelta(days=900 - number),
            revoked_at=NOW - DAY if number in (1, 3) else None,
            **owner,
        )
        for number in range(700)
    )
    for number, key in enumerate(keys[:5]):
        count(key, NOW - 2 * DAY, 10 - number)
    return keys


@pytest.mark.usefixtures("old_and_busy")
def test_the_keys_used_most_have_names_however_old_they_are(client, inside):
    with CaptureQueriesContext(connection) as captured:
        html = client.get(USAGE).content.decode()
    # The portal and the session, three pages of names to choose from, and three for the summary (ui-spec 2.13).
    assert len(captured) == 8
    named = ["Worker 0", "Revoked key key_001", "Worker 2", "Revoked key key_003", "Worker 4"]
    assert [row[0] for row in table(html, 1)] == named
    options = dict(re.findall(r'<option value="(key_\d+)"[^>]*>(.*?)</option>', html))
    assert len(options) == 305
    assert (options["key_000"], options["key_001"], options["key_699"]) == ("Worker 0", "key_001", "Worker 699")
    lines = client.get(CSV).getvalue().decode().splitlines()[1:]
    assert {tuple(line.split(",")[1:3]) for line in lines} == {
        ("key_000", "Worker 0"),
        ("key_001", ""),
        ("key_002", "Worker 2"),
        ("key_003", ""),
        ("key_004", "Worker 4"),
    }


@pytest.mark.usefixtures("old_and_busy")
def test_who_may_not_read_keys_sees_no_name_of_a_summary(client, inside):
    inside(["analytics:read"])
    for answer in (client.get(USAGE).content, client.get(CSV).getvalue()):
        assert b"key_000" in answer
        assert b"Worker" not in answer
        assert b"Revoked" not in answer


@pytest.mark.parametrize(("keys", "days"), [(1, 1), (50, 90)])
def test_ninety_days_of_fifty_keys_cost_as_many_statements_as_one_day_of_one(config, shown, usage_store, keys, days):
    for number in range(keys):
        key = put(config, f"Key {number}")
        for day in range(days):
            use(config, key.id, NOW - day * DAY)
    with CaptureQueriesContext(connection) as captured:
        html = shown("?range=90d")
    assert len(captured) == 2
    assert usage_store.asked == 1
    assert figures(html)["Requests"][0] == f"{keys * days:,}"


@pytest.mark.parametrize("keys", [1, 50])
def test_from_the_database_in_three_statements(config, client, inside, settings, keys):
    settings.PORTAL = {name: value for name, value in settings.PORTAL.items() if name != "KEY_STORE"}
    for number in range(keys):
        key = put(config, f"Key {number}")
        for day in range(0, 80, 10):
            count(ApiKey.objects.get(public_id=key.id), NOW - day * DAY, 3)
    with CaptureQueriesContext(connection) as captured:
        html = client.get(USAGE).content.decode()
    # The portal and the session; the names; the most used keys, their uses, and those of all.
    assert len(captured) == 6
    assert figures(html)["Requests"] == [f"{keys * 9:,}", "Same as the previous 30 days"]
    assert table(html, 1)[0][1:] == ["9", "0", "100%" if keys == 1 else "2%"]
