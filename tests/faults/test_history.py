"""The history check finds what it is there to find."""

from __future__ import annotations

import pytest

from tests.faults.history import Exchange, Outcome, violations


def call(caller: str, start: float, end: float, outcome: Outcome, token: str = "") -> Exchange:
    return Exchange("pst_code", caller, start, end, outcome, token or (caller if outcome == "ok" else ""))


GOOD = {
    "one wins, the others overlap": [call("a", 0, 3, "ok"), call("b", 1, 2, "refused"), call("c", 4, 5, "refused")],
    "the winner is answered last": [call("a", 0, 9, "ok"), call("b", 1, 2, "refused")],
    "an unknown call took it": [call("a", 0, 1, "unknown"), call("b", 2, 3, "refused")],
    "an unknown call did not take it": [call("a", 0, 1, "unknown"), call("b", 2, 3, "ok")],
    "a lost answer is given again": [
        call("a", 0, 1, "unknown"),
        call("b", 2, 3, "refused"),
        call("a", 4, 5, "ok"),
        call("a", 6, 7, "ok"),
    ],
    "too late for the lost answer": [call("a", 0, 1, "ok"), call("a", 99, 100, "refused")],
    "nobody knows": [call("a", 0, 1, "unknown"), call("b", 0, 1, "unknown")],
}
BAD = {
    "two win": [call("a", 0, 1, "ok"), call("b", 0, 1, "ok")],
    "two win one after the other": [call("a", 0, 1, "ok"), call("b", 2, 3, "ok")],
    "one browser gets two tokens": [call("a", 0, 1, "ok"), call("a", 2, 3, "ok", "another")],
    "two callers get one token": [call("a", 0, 1, "ok", "same"), call("b", 2, 3, "ok", "same")],
    "lost without a taker": [call("a", 0, 1, "refused")],
    "refused before it was taken": [call("a", 0, 1, "refused"), call("b", 2, 3, "ok")],
    "refused before the unknown call": [call("a", 0, 1, "refused"), call("b", 2, 3, "unknown")],
    "refused, then the same browser wins": [call("a", 0, 1, "refused"), call("a", 2, 3, "ok")],
    "the winner was not the unknown call": [
        call("a", 0, 1, "unknown"),
        call("b", 2, 3, "refused"),
        call("c", 4, 5, "ok"),
    ],
}


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_explains(history: list[Exchange]) -> None:
    assert violations(history) == []


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_finds(history: list[Exchange]) -> None:
    assert violations(history)


def test_codes_do_not_mix() -> None:
    assert violations([Exchange(code, "a", 0, 1, "ok", code) for code in ("pst_one", "pst_two")]) == []
