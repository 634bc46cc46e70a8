"""The one clock: whole milliseconds of UTC, from the system or from whoever stands in for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from portal import clock

MILLISECOND = timedelta(milliseconds=1)


def test_it_is_the_systems_time_cut_to_milliseconds():
    for _ in range(1000):
        before = datetime.now(UTC)
        now = clock.now()
        after = datetime.now(UTC)
        assert before - MILLISECOND < now <= after
        assert now.tzinfo is UTC
        assert now.microsecond % 1000 == 0


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (999_999, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_795_867_200_007_999_999, datetime(2026, 11, 28, 12, 0, 0, 7000, tzinfo=UTC)),
        (253_402_300_799_999_999_999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    ],
)
def test_it_is_cut_and_not_rounded(monkeypatch, nanoseconds, expected):
    monkeypatch.setattr(clock.time, "time_ns", lambda: nanoseconds)
    assert clock.now() == expected


def test_whoever_stands_in_is_asked_within_the_block_only():
    moment = datetime(2020, 1, 1, 2, microsecond=1999, tzinfo=timezone(timedelta(hours=2)))
    with clock.using(lambda: moment):
        assert clock.now() == datetime(2020, 1, 1, microsecond=1000, tzinfo=UTC)
        with clock.using(lambda: moment + MILLISECOND):
            assert clock.now() == datetime(2020, 1, 1, microsecond=2000, tzinfo=UTC)
        assert clock.now() == datetime(2020, 1, 1, microsecond=1000, tzinfo=UTC)
    assert clock.now() > datetime(2026, 1, 1, tzinfo=UTC)
