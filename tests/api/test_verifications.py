"""portal.getVerifications: how often the user's keys were used, in both published shapes (wire contract section 5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal import clock
from portal.keystore import get_key_store
from portal.keystore.base import Owner
from portal.keystore.usage import MOST_KEYS
from tests.envelopes import assert_refused
from tests.factories import ALL, PortalConfigFactory, sign_in
from tests.pages.shelf import put
from tests.usage_store import FineUsageStore, UsageStore, use, use_usage_store

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A Tuesday at noon, and the day that it is.
NOW = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)
TODAY = NOW.replace(hour=0, microsecond=0)
NINE = {
    *("time", "total", "valid", "rateLimited", "insufficientPermissions", "forbidden", "disabled", "expired"),
    "usageExceeded",
}


@pytest.fixture(autouse=True)
def noon():
    with clock.using(lambda: NOW):
        yield


@pytest.fixture(autouse=True)
def store(settings: Any) -> UsageStore:
    return use_usage_store(settings)


@pytest.fixture
def ask(api, token):
    """Return ``ask(start, end, **members)``, which returns the response."""

    def call(start=TODAY - 29 * DAY, end=TODAY + DAY, *, token=token, **members):
        body = {"startTime": clock.to_milliseconds(start), "endTime": clock.to_milliseconds(end), **members}
        return api("getVerifications", body, token=token)

    return call


@pytest.fixture
def asked(ask):
    """Return the same as the answer's body, which must be a good one."""

    def call(*args, **members):
        response = ask(*args, **members)
        assert response.status_code == 200, response.content
        body = response.json()
        assert set(body) == {"meta", "data", "bucketMillis", "keys"}
        return body

    return call


def sums(points):
    return {name: sum(point[name] for point in points) for name in NINE - {"time"}}


def test_both_shapes_at_once(config, asked):
    one, two = put(config, "One"), put(config, "Two")
    use(config, one.id, NOW - 2 * DAY, valid=3, rate_limited=2)
    use(config, one.id, NOW, valid=5, insufficient_permissions=1, forbidden=2, disabled=3, expired=4, usage_exceeded=6)
    use(config, two.id, NOW, valid=7)
    body = asked()
    assert body["bucketMillis"] == 86_400_000
    times = [clock.to_milliseconds(TODAY - (29 - index) * DAY) for index in range(30)]
    for points in (body["data"], *(key["data"] for key in body["keys"])):
        assert [point["time"] for point in points] == times
        assert all(set(point) == NINE and all(type(value) is int for value in point.values()) for point in points)
    assert body["data"][-1] == {
        "time": clock.to_milliseconds(TODAY),
        "total": 28,
        "valid": 12,
        "rateLimited": 0,
        "insufficientPermissions": 1,
        "forbidden": 2,
        "disabled": 3,
        "expired": 4,
        "usageExceeded": 6,
    }
    assert (body["data"][-3]["total"], body["data"][-3]["rateLimited"]) == (5, 2)
    # The most used first; together they are the whole.
    assert [key["keyId"] for key in body["keys"]] == [one.id, two.id]
    parts = [sums(key["data"]) for key in body["keys"]]
    assert sums(body["data"]) == {name: parts[0][name] + parts[1][name] for name in parts[0]}


def test_without_use_zeros_and_no_keys(config, asked):
    put(config, "Never used")
    body = asked()
    assert len(body["data"]) == 30
    assert sums(body["data"])["total"] == 0
    assert body["keys"] == []


@pytest.mark.parametrize(
    ("ago", "length", "bucket", "number"),
    [
        (7 * DAY, timedelta(milliseconds=1), HOUR, 1),
        (7 * DAY, HOUR, HOUR, 2),
        (8 * DAY, 7 * DAY, HOUR, 169),
        (8 * DAY, 7 * DAY + timedelta(milliseconds=1), DAY, 8),
        # What is older is known by the day.
        (8 * DAY + timedelta(milliseconds=1), HOUR, DAY, 1),
        (30 * DAY, 30 * DAY, DAY, 31),
    ],
)
def test_hours_up_to_seven_recent_days_else_days(asked, ago, length, bucket, number):
    body = asked(NOW - ago, NOW - ago + length)
    assert body["bucketMillis"] == bucket // timedelta(milliseconds=1)
    assert len(body["data"]) == number


def test_a_window_is_widened_to_whole_buckets(config, asked):
    key = put(config, "K")
    use(config, key.id, TODAY + 9 * HOUR)
    use(config, key.id, TODAY + 11 * HOUR)
    body = asked(TODAY + 9 * HOUR + timedelta(minutes=59), TODAY + 11 * HOUR + timedelta(milliseconds=1))
    hours = [clock.to_milliseconds(TODAY + hour * HOUR) for hour in (9, 10, 11)]
    assert [(point["time"], point["valid"]) for point in body["data"]] == list(zip(hours, (1, 0, 1), strict=True))
    assert [point["valid"] for point in asked(TODAY + 9 * HOUR, TODAY + 11 * HOUR)["data"]] == [1, 0]


def test_one_key(config, asked):
    one, two = put(config, "One"), put(config, "Two")
    use(config, one.id, NOW)
    use(config, two.id, NOW, valid=5)
    body = asked(keyId=one.id)
    assert [key["keyId"] for key in body["keys"]] == [one.id]
    assert sums(body["data"])["total"] == 1


def test_a_store_that_answers_more_than_it_is_asked(config, asked, settings):
    use_usage_store(settings, FineUsageStore)
    one, two = put(config, "One"), put(config, "Two")
    for moment in (TODAY - DAY - timedelta(hours=1), TODAY - DAY, TODAY - timedelta(hours=1), TODAY):
        use(config, one.id, moment)
        use(config, two.id, moment, valid=10)
    body = asked(TODAY - DAY, TODAY, keyId=one.id)
    assert sums(body["data"])["total"] == 2
    assert [key["keyId"] for key in body["keys"]] == [one.id]


def test_row_24_a_foreign_key_and_an_unknown_key_are_the_same_404(config, ask):
    other = PortalConfigFactory(slug="other", keyspace_id="ks_2")
    foreign = put(config, "Theirs", external_id="user_456")
    elsewhere = put(other, "Elsewhere")
    use(config, foreign.id, NOW, external_id="user_456")
    answers = [ask(keyId=key_id) for key_id in (foreign.id, elsewhere.id, "key_0")]
    for answer in answers:
        assert_refused(answer, 404, "unkey/data/key_not_found")
    assert len({str(answer.json()["error"]) for answer in answers}) == 1


def test_row_24_only_the_sessions_own_keys(config, asked):
    other = PortalConfigFactory(slug="other", keyspace_id="ks_2")
    own = put(config, "Own")
    use(config, own.id, NOW)
    use(config, put(config, "Theirs", external_id="user_456").id, NOW, external_id="user_456", valid=100)
    use(other, put(other, "Elsewhere").id, NOW, valid=1000)
    body = asked()
    assert [key["keyId"] for key in body["keys"]] == [own.id]
    assert sums(body["data"])["total"] == 1


def test_a_key_that_is_gone_still_counts(config, asked, store):
    key = put(config, "K")
    use(config, key.id, NOW)
    store._keys.clear()
    assert [key["keyId"] for key in asked()["keys"]] == [key.id]


def test_a_revoked_key_counts_and_cannot_be_asked_for_alone(config, ask, asked):
    key = put(config, "K")
    use(config, key.id, NOW)
    get_key_store().revoke_key(Owner(config, "user_123"), key.id)
    assert [key["keyId"] for key in asked()["keys"]] == [key.id]
    assert_refused(ask(keyId=key.id), 404, "unkey/data/key_not_found")


@pytest.mark.parametrize(("start", "end"), [(NOW, NOW), (NOW, NOW - timedelta(milliseconds=1)), (NOW, NOW - 400 * DAY)])
def test_an_end_that_is_not_after_the_start(ask, start, end):
    findings = assert_refused(
        ask(start, end), 400, "unkey/application/invalid_input", "endTime must be after startTime."
    )
    assert findings == []


@pytest.mark.parametrize("kept", [30, 90])
def test_what_is_not_kept_cannot_be_asked_for(ask, settings, kept):
    settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": timedelta(days=kept)}
    text = f"Usage is kept for {kept} days. Ask for a time within them."
    oldest = TODAY - kept * DAY
    # The client's clock may say that it is a little earlier: the oldest day is kept whole.
    assert len(ask(oldest, NOW).json()["data"]) == kept + 1
    assert_refused(ask(oldest - timedelta(milliseconds=1), NOW), 400, "unkey/application/invalid_input", text)
    too_long = ask(TODAY, TODAY + (kept + 1) * DAY + timedelta(milliseconds=1))
    assert assert_refused(too_long, 400, "unkey/application/invalid_input", text) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"startTime": 0},
        {"startTime": "0", "endTime": 1},
        {"startTime": 0.5, "endTime": 1},
        {"startTime": 0, "endTime": 4102444800001},
        {"startTime": -1, "endTime": 1},
        {"startTime": 0, "endTime": 1, "keyId": "no-id"},
        {"startTime": 0, "endTime": 1, "externalId": "user_456"},
    ],
)
def test_other_bodies(api, token, body):
    assert assert_refused(api("getVerifications", body, token=token), 400, "unkey/application/invalid_input")


def test_it_needs_its_capability_and_no_other_will_do(ask, config):
    others = sign_in(config, granted=[one for one in ALL if one != "analytics:read"]).secret
    detail = "Missing permission: 'analytics:read'"
    for members in ({}, {"keyId": "key_0"}, {"end": NOW - 400 * DAY}):
        answer = ask(token=others, **members)
        assert_refused(answer, 403, "unkey/authorization/insufficient_permissions", detail)
    alone = sign_in(config, granted=["analytics:read"]).secret
    assert ask(token=alone).status_code == 200
    preview = sign_in(config, granted=ALL, preview=True).secret
    assert ask(token=preview).status_code == 200


def test_a_store_that_does_not_count(ask, settings):
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": "portal.keystore.memory.MemoryKeyStore"}}
    assert_refused(ask(), 403, "unkey/authorization/forbidden")


def test_days_are_those_of_utc_whatever_the_hosts_zone(config, asked, settings):
    """Clocks in Berlin go back on 25 October 2026, whose day has 25 hours there."""
    settings.TIME_ZONE = "Europe/Berlin"
    key = put(config, "K")
    changes = datetime(2026, 10, 25, tzinfo=UTC)
    for moment in (changes - HOUR, changes, changes + HOUR, changes + 23 * HOUR, changes + 24 * HOUR):
        use(config, key.id, moment)
    points = asked(changes - 4 * DAY, changes + 5 * DAY)["data"]
    times = [clock.to_milliseconds(changes + days * DAY) for days in range(-4, 5)]
    assert [(point["time"], point["valid"]) for point in points] == list(
        zip(times, (0, 0, 0, 1, 3, 1, 0, 0, 0), strict=True)
    )


def test_ninety_days_of_fifty_keys(config, asked, store, django_assert_num_queries):
    config.key_limit = None
    keys = [put(config, f"Key {number}") for number in range(50)]
    for key in keys:
        for day in range(90):
            use(config, key.id, NOW - day * DAY, valid=2, rate_limited=1)
    # The session and its portal, and one question to the store.
    with django_assert_num_queries(2):
        body = asked(TODAY - 89 * DAY, TODAY + DAY)
    assert store.asked == 1
    assert sums(body["data"])["total"] == 50 * 90 * 3
    assert {len(key["data"]) for key in body["keys"]} == {90}
    assert len(body["keys"]) == 50


def test_the_answer_is_bounded_and_the_whole_still_counts_all(config, asked):
    for number in range(MOST_KEYS + 1):
        use(config, f"key_{number:03}", NOW, valid=1 + number)
    body = asked()
    assert [key["keyId"] for key in body["keys"]] == [f"key_{number:03}" for number in range(MOST_KEYS, 0, -1)]
    assert sums(body["data"])["total"] == sum(range(MOST_KEYS + 2))
