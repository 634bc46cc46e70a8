"""Usage as a file: the page's numbers, safe to open in a spreadsheet, and the same as everywhere else."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from portal import clock
from tests.factories import PortalConfigFactory, sign_in
from tests.pages.shelf import put
from tests.pages.test_usage import figures, table
from tests.usage_store import BrokenUsageStore, FineUsageStore, UsageStore, use, use_usage_store

pytestmark = pytest.mark.django_db

FILE = "/my-portal/usage.csv"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)
TODAY = datetime(2026, 11, 24, tzinfo=UTC)
COUNTS = "valid,rate_limited,insufficient_permissions,forbidden,disabled,expired,usage_exceeded"


@pytest.fixture(autouse=True)
def afternoon():
    with clock.using(lambda: NOW):
        yield


@pytest.fixture(autouse=True)
def store(settings):
    return use_usage_store(settings)


@pytest.fixture
def config(db):
    return PortalConfigFactory(slug="my-portal", key_limit=None)


@pytest.fixture
def token(client, config):
    """Let the browser hold a session that may do everything, and return its token."""
    client.cookies["portal_session"] = secret = sign_in(config).secret
    return secret


@pytest.fixture
def download(client, token):
    """Return ``download(query)``, which returns the file as text."""

    def get(query=""):
        answer = client.get(FILE + query)
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


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＠"])
def test_row_38_a_name_is_no_formula(config, download, start):
    use(config, put(config, f'{start}HYPERLINK("https://evil.example","x")').id, NOW)
    row = next(csv.reader(io.StringIO(download("?range=7d").partition("\r\n")[2])))
    assert row[2] == f'\'{start}HYPERLINK("https://evil.example","x")'


def test_quotes_commas_and_letters_of_all_kinds(config, download):
    name = 'a,"b";ü مفتاح 😀'
    use(config, put(config, name).id, NOW)
    assert {row["key"] for row in csv.DictReader(io.StringIO(download()))} == {name}


def test_a_key_that_is_gone_has_no_name(config, download):
    use(config, "key_gone", NOW)
    assert {(row["key_id"], row["key"]) for row in csv.DictReader(io.StringIO(download()))} == {("key_gone", "")}


def test_it_is_a_download_that_no_cache_keeps(client, config, token):
    answer = client.get(f"{FILE}?range=7d")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="usage-2026-11-18-7d.csv"'
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.head(FILE).status_code == 200


def test_without_numbers_there_is_no_file(client, token, settings):
    use_usage_store(settings, BrokenUsageStore)
    answer = client.get(FILE)
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
    page = client.get(f"/my-portal/usage/?range={name}").content.decode()
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
