"""The how-to page about other recorders: its pipeline is filled and read, and its counter counts."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from portal import clock
from portal.contrib.keys.recorder import Use, count_with, recorder
from portal.contrib.keys.verify import VerifiedKey
from portal.keystore.base import Outcome
from tests.docs.clickhouse import clickhouse
from tests.docs.follower import Follower
from tests.docs.markdown import steps

PAGE = "how-to/record-usage-elsewhere.md"


def test_record_usage_elsewhere(follower: Follower) -> None:
    with clickhouse() as url:
        follower.environment["CLICKHOUSE_URL"] = url
        follower.follow(PAGE)
    # The counter of OpenTelemetry, tried below.
    assert [step.section for step in follower.left] == ["With OpenTelemetry"]


def test_the_counter_of_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[Any] = []
    counter = SimpleNamespace(add=lambda number, attributes: added.append((number, attributes)))
    package = ModuleType("opentelemetry")
    package.metrics = SimpleNamespace(get_meter=lambda name: SimpleNamespace(create_counter=lambda name: counter))
    monkeypatch.setitem(sys.modules, "opentelemetry", package)
    [block] = [step.text for step in steps(PAGE) if step.section == "With OpenTelemetry" and step.language]
    key = VerifiedKey(1, 1, "key_1", "ks_1", "user_123", "Key", (), "{}", None, None)
    try:
        exec(block, {})
        recorder.record(Use(key, Outcome.RATE_LIMITED, clock.now()))
    finally:
        count_with(None)
    assert added == [(1, {"api_key.id": "key_1", "outcome": "RATE_LIMITED"})]
