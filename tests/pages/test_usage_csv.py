"""Usage as a file: the page's numbers, safe to open in a spreadsheet, and the same as everywhere else."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import pytest

from portal import clock
from portal.contrib.keys.models import ApiKey
from portal.keystore.base import Outcome
from tests.contrib.keys.counting import count
from tests.factories import sign_in
from tests.pages.pseudo import LONG, pseudo_languages
from tests.pages.shelf import put
from tests.pages.usage_flow import CSV, DAY, HOUR, NOW, USAGE, figures, table
from tests.usage_store import BrokenUsageStore, FineUsageStore, UsageStore, use, use_usage_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("afternoon", "no_key_limit", "usage_store")]

TODAY = datetime(2026, 11, 24, tzinfo=UTC)
COUNTS = "valid,rate_limited,insufficient_permissions,forbidden,disabled,expired,usage_exceeded"


@pytest.fixture
def token(client, config):
    """Let the browser hold a session that may do everything, and return its token."""
    client.cookies["portal_session"] = secret = sign_in(config).secret
    return secret


@pytest.fixture
def download(client, token):
    """Return ``download(query)``, which returns the file as text."""

    def get(query=""):
        answer = client.get(CSV + query)
        assert answer.status_code == 200
        assert answer.streaming
        return answer.getvalue().decode()

    return get


def test_a_line_for_each_key_and_day(config, download):
    one, two = put(config, "One"), put(config, "Two")
    use(config, one.id, NOW - DAY, valid=1, rate_limited=2, insufficient_permissions=3, forbidden=4)
    use(config, one.id, NOW, valid=0, disabled=5, expired=6, usage_exceeded=7)
    use(config, two.id, NOW)
    lines = download("?range=7d").split("\r\n")
    assert lines[0] == f"start,key_id,key,total,{COUNTS}"
    assert lines[1:6] == [f"2026-11-{day},{one.id},One,0,0,0,0,0,0,0,0" for day in range(18, 23)]
    assert lines[6] == f"2026-11-23,{one.id},One,10,1,2,3,4,0,0,0"
    assert lines[7] == f"2026-11-24,{one.id},One,18,0,0,0,0,5,6,7"
    assert lines[14] == f"2026-11-24,{two.id},Two,1,1,0,0,0,0,0,0"
    assert lines[15:] == [""]


def test_hours_say_that_they_are_utc(config, download):
    key = put(config, "K")
    use(config, key.id, NOW)
    lines = download("?range=24h").split("\r\n")
    assert (lines[1].split(",")[0], lines[24].split(",")[:4]) == (
        "2026-11-23T15:00Z",
        ["2026-11-24T14:00Z", key.id, "K", "1"],
    )


def test_days_even_where_the_chart_has_weeks(config, download):
    use(config, put(config, "K").id, NOW)
    assert len(download("?range=90d").split("\r\n")) == 1 + 90 + 1


def test_one_key_and_one_of_nobody(config, download):
    one, two = put(config, "One"), put(config, "Two")
    for key in (one, two):
        use(config, key.id, NOW)
    assert {row["key"] for row in csv.DictReader(io.StringIO(download(f"?key={one.id}")))} == {"One"}
    assert download("?key=key_0") == f"start,key_id,key,total,{COUNTS}\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＠", "\xa0=", "\ufeff@", "\u2009\u200b+"])
def test_row_38_a_name_is_no_formula(config, download, start):
    use(config, put(config, f'{start}HYPERLINK("https://evil.example","x")').id, NOW)
    row = next(csv.reader(io.StringIO(download("?range=7d").partition("\r\n")[2])))
    assert row[2] == f'\'{start}HYPERLINK("https://evil.example","x")'


@pytest.mark.parametrize("between", [";", "\t", ";;", "; ", ";\xa0", "\t\ufeff", ';"', '";"" ', "\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_row_38_nor_is_its_middle_where_cells_end_otherwise(config, download, between, separator):
    use(config, put(config, f"a{between}=HYPERLINK(1)").id, NOW)
    cells = [cell for row in csv.reader(io.StringIO(download()), delimiter=separator) for cell in row]
    assert any("=HYPERLINK(1)" in cell for cell in cells)
    assert not [cell for cell in cells if cell.strip(' "\xa0\ufeff').startswith("=")]


def test_a_semicolon_alone_stays_as_it_is(config, download):
    use(config, put(config, "a;b;1=1; c-d").id, NOW)
    assert {row["key"] for row in csv.DictReader(io.StringIO(download()))} == {"a;b;1=1; c-d"}


def test_quotes_commas_and_letters_of_all_kinds(config, download):
    name = 'a,"b";ü مفتاح 😀'
    use(config, put(config, name).id, NOW)
    assert {row["key"] for row in csv.DictReader(io.StringIO(download()))} == {name}


def test_a_key_that_is_gone_has_no_name(config, download):
    use(config, "key_gone", NOW)
    assert {(row["key_id"], row["key"]) for row in csv.DictReader(io.StringIO(download()))} == {("key_gone", "")}


@pytest.fixture(params=["memory", "database"])
def very_many_keys(config, settings, request, afternoon, usage_store):
    """Have 150 keys that are gone, each used a little less than the one before; the last ones very much, a week ago."""

    def note(key, moment, **counts):
        if request.param == "memory":
            use(config, key.public_id, moment, **counts)
        else:
            for outcome, number in counts.items():
                count(key, moment, number, Outcome[outcome.upper()]) if number else None

    if request.param == "database":
        settings.PORTAL = {name: value for name, value in settings.PORTAL.items() if name != "KEY_STORE"}
    owner = {"keyspace_id": config.keyspace, "external_id": "user_123", "revoked_at": NOW}
    keys = [ApiKey(public_id=f"key_{number:03}", name=f"Worker {number}", **owner) for number in range(150)]
    for number, key in enumerate(ApiKey.objects.bulk_create(keys)):
        note(key, NOW - number % 2 * DAY, valid=1000 - number, expired=number % 3)
        if number >= 140:
            note(key, NOW - 8 * DAY, valid=10**6)


@pytest.mark.usefixtures("very_many_keys")
def test_of_very_many_keys_the_most_used_and_the_others_together(client, api, config, token, download):
    lines = list(csv.DictReader(io.StringIO(download("?range=7d"))))
    kept = [f"key_{number:03}" for number in range(100)]
    assert set(kept) == {line["key_id"] for line in lines} - {""}
    assert len(lines) == 101 * 7
    assert {(line["key_id"], line["key"]) for line in lines[-7:]} == {("", "50 other keys")}
    whole = sum(1000 - number + number % 3 for number in range(150))
    assert sum(int(line["total"]) for line in lines) == whole
    assert sum(int(line["total"]) for line in lines[-7:]) == sum(1000 - n + n % 3 for n in range(100, 150))
    assert [int(line["valid"]) for line in lines[-2:]] == [
        sum(1000 - number for number in range(101, 150, 2)),
        sum(1000 - number for number in range(100, 150, 2)),
    ]
    page = client.get(f"{USAGE}?range=7d").content.decode()
    assert figures(page)["Requests"][0] == f"{whole:,}"
    assert figures(page)["Requests"][1] == "Down 99% from the previous 7 days"
    assert sum(int(cell.replace(",", "")) for row in table(page) for cell in row[1:]) == whole
    assert sum(int(cell.replace(",", "")) for row in table(page, 1) for cell in row[1:3]) == whole
    assert table(page, 1)[-1][0] == "125 other keys"
    assert sorted(re.findall(r'<option value="(key_\d+)"', page)) == kept
    window = {"startTime": clock.to_milliseconds(TODAY - 6 * DAY), "endTime": clock.to_milliseconds(TODAY + DAY)}
    body = api("getVerifications", window, token=token).json()
    assert sum(point["total"] for point in body["data"]) == whole
    assert {key["keyId"] for key in body["keys"]} == set(kept)
    # One of the others is still there for who asks for it.
    alone = client.get(f"{USAGE}?range=7d&key=key_149").content.decode()
    assert figures(alone)["Requests"][0] == str(1000 - 149 + 149 % 3)
    assert re.search(r'<option value="key_149" selected', alone)
    assert {line["key_id"] for line in csv.DictReader(io.StringIO(download("?key=key_149")))} == {"key_149"}


def test_the_others_are_named_in_the_language_of_the_portal(client, config, token):
    for number in range(101):
        use(config, f"key_{number:03}", NOW)
    config.locale = LONG
    config.save()
    with pseudo_languages():
        answer = client.get(f"{CSV}?range=7d")
    last = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))[-1]
    assert last["key_id"] == ""
    assert last["key"] not in ("", "1 other key")


def test_it_is_a_download_that_no_cache_keeps(client, config, token):
    answer = client.get(f"{CSV}?range=7d")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="usage-2026-11-18-7d.csv"'
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.head(CSV).status_code == 200


def test_without_numbers_there_is_no_file(client, token, settings):
    use_usage_store(settings, BrokenUsageStore)
    answer = client.get(CSV)
    assert answer.status_code == 502
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


@pytest.mark.parametrize("kind", [UsageStore, FineUsageStore])
@pytest.mark.parametrize(("name", "length"), [("24h", DAY), ("7d", 7 * DAY), ("30d", 30 * DAY), ("90d", 90 * DAY)])
def test_chart_table_file_and_api_agree(client, api, config, token, download, settings, kind, name, length):
    use_usage_store(settings, kind)
    keys = [put(config, f"Key {number}") for number in range(4)]
    for number, key in enumerate(keys):
        for hours in range(0, 200 * 24, 7 + number):
            use(config, key.id, NOW - hours * HOUR, valid=hours % 11, rate_limited=hours % 3, expired=hours % 2)
    end = TODAY + (15 * HOUR if name == "24h" else DAY)
    window = {"startTime": clock.to_milliseconds(end - length), "endTime": clock.to_milliseconds(end)}
    body = api("getVerifications", window, token=token).json()
    page = client.get(f"{USAGE}?range={name}").content.decode()
    lines = list(csv.DictReader(io.StringIO(download(f"?range={name}"))))

    def of_api(member):
        # Seven days are told by the hour there.
        per = 24 if name == "7d" else 1
        numbers = [point[member] for point in body["data"]]
        return [sum(numbers[place : place + per]) for place in range(0, len(numbers), per)]

    def of_file(column):
        found = {}
        for line in lines:
            found[line["start"]] = found.get(line["start"], 0) + int(line[column])
        return list(found.values())

    assert of_file("total") == of_api("total")
    assert of_file("valid") == of_api("valid")
    totals = of_api("total")
    assert figures(page)["Requests"][0] == f"{sum(totals):,}"
    # The chart's bars: weeks of the ninety days, counted from the end.
    per = 7 if name == "90d" else 1
    whole = [0] * (-len(totals) % per) + totals
    rows = table(page)
    numbers = [sum(int(cell.replace(",", "")) for cell in row[1:]) for row in rows]
    assert numbers == [sum(whole[place : place + per]) for place in range(0, len(whole), per)]
    by_key = {row[0]: int(row[1].replace(",", "")) + int(row[2].replace(",", "")) for row in table(page, 1)}
    names = {key.id: key.name for key in keys}
    assert by_key == {names[key["keyId"]]: sum(point["total"] for point in key["data"]) for key in body["keys"]}
