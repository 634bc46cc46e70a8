"""What an operator allows, in the policy's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.keystore import KeyPolicy
from portal.models import PortalConfig

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)


def policy(**fields: Any) -> KeyPolicy:
    return KeyPolicy.of(PortalConfig(**fields))


def test_what_holds_when_the_operator_says_nothing() -> None:
    assert policy() == KeyPolicy(
        default_life=90 * DAY,
        longest_life=365 * DAY,
        may_never_expire=False,
        limit=10,
        permissions=(),
        default_permissions=(),
        grace_periods=(timedelta(0), timedelta(minutes=15), timedelta(hours=1), DAY, 7 * DAY),
    )


def test_what_the_operator_says() -> None:
    said = policy(
        key_default_days=1,
        key_longest_days=None,
        key_never_expires=True,
        key_limit=None,
        key_permissions=["b", "a"],
        key_default_permissions=["a"],
        key_grace_periods=[60],
    )
    assert said == KeyPolicy(DAY, None, True, None, ("b", "a"), ("a",), (timedelta(minutes=1),))
    assert said.default_expiry(NOW) == NOW + DAY
    assert said.latest_expiry(NOW) is None


@pytest.mark.parametrize(
    ("life", "problem"),
    [
        (-DAY, "This must be in the future."),
        (timedelta(0), "This must be in the future."),
        (MILLISECOND, ""),
        (30 * DAY, ""),
        (30 * DAY + MILLISECOND, "This must be 1896091200000 or earlier."),
    ],
)
def test_when_a_key_may_end(life: timedelta, problem: str) -> None:
    assert policy(key_longest_days=30).expiry_problem(NOW + life, NOW) == problem


def test_a_key_without_an_end_needs_leave() -> None:
    # Whatever the longest life is.
    for longest in (30, None):
        assert policy(key_longest_days=longest).expiry_problem(None, NOW) == "Keys of this portal must have an end."
        assert policy(key_longest_days=longest, key_never_expires=True).expiry_problem(None, NOW) == ""


def test_without_a_longest_life_any_end_will_do() -> None:
    assert policy(key_longest_days=None).expiry_problem(NOW + 36500 * DAY, NOW) == ""


@pytest.mark.parametrize(
    ("grace", "right"), [(0, False), (59.999, False), (60, True), (90, True), (3600, True), (3600.001, False)]
)
def test_how_long_an_old_secret_may_stay(grace: float, right: bool) -> None:
    problem = policy(key_grace_periods=[60, 3600]).grace_problem(timedelta(seconds=grace))
    assert problem == ("" if right else "This must be a number from 60000 to 3600000.")


@pytest.mark.parametrize(
    ("periods", "wanted", "stays"),
    [
        ([0, 3600, 86400], timedelta(hours=24), 86400),
        ([0, 3600], timedelta(hours=24), 3600),
        ([604800], timedelta(hours=24), 604800),
        ([0, 3600, 86400], timedelta(0), 0),
        ([0, 3600, 86400], timedelta(hours=2), 3600),
    ],
)
def test_the_default_grace_is_the_nearest_that_is_allowed(
    settings: Any, periods: list[int], wanted: timedelta, stays: int
) -> None:
    settings.PORTAL = {**settings.PORTAL, "REROLL_GRACE": wanted}
    assert policy(key_grace_periods=periods).default_grace() == timedelta(seconds=stays)
