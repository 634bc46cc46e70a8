"""Minting and exchanging while an operator ends sessions: what slips through must not work later (design decision 14)."""

from __future__ import annotations

from functools import partial

import pytest

from tests.races.calls import Answer, exchange, exchange_now, mint, mint_now, session_now
from tests.races.changes import CHANGES, Change, Scene, live_from_before, mint_codes, race_a_change, set_scene
from tests.races.crew import Crew
from tests.races.rounds import rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.parametrize("change", CHANGES, ids=str)]

#: Callers beside the operator, and how many calls each makes; the operator makes one to four fewer.
CALLERS = 15
CALLS = 4

OK = (200, "")
DEAD = (401, "portal_session_not_found")


def secrets_of(answers: list[Answer]) -> list[str]:
    return [answer.secret for answer in answers if answer.outcome == OK]


def assert_mints_are_answered_so(answers: list[Answer], change: Change) -> None:
    assert {answer.outcome for answer in answers} <= {OK, change.after} | change.meanwhile
    assert all(answer.retry_after for answer in answers if answer.status == 503)


def assert_portal_works(scene: Scene) -> None:
    minted = mint_now(scene.slug, scene.root_key)
    assert minted.outcome == OK
    assert exchange_now(minted.secret).outcome == OK


@rounds(3)
def test_nothing_minted_around_a_change_works(crew: Crew, change: Change, rounds: int) -> None:
    for number in range(rounds):
        scene = set_scene()
        one = partial(mint, scene.slug, scene.root_key)
        answers = race_a_change(crew, scene, change, [*[[one] * CALLS] * CALLERS, [one] * (number % CALLS)])
        assert_mints_are_answered_so(answers, change)
        assert live_from_before(scene) == 0
        late = mint_now(scene.slug, scene.root_key)
        assert late.outcome == change.after
        change.undo(scene)
        codes = secrets_of([*answers, late])
        assert {exchange_now(code).outcome for code in codes} <= {DEAD}
        assert_portal_works(scene)


@rounds(3)
def test_nothing_exchanged_around_a_change_works(crew: Crew, change: Change, rounds: int) -> None:
    for number in range(rounds):
        scene = set_scene()
        codes = mint_codes(scene, CALLERS * CALLS + number % CALLS)
        calls = [partial(exchange, code) for code in codes]
        shares = [calls[start : start + CALLS] for start in range(0, CALLERS * CALLS, CALLS)]
        answers = race_a_change(crew, scene, change, [*shares, calls[CALLERS * CALLS :]])
        assert {answer.outcome for answer in answers} <= {OK, DEAD}
        assert live_from_before(scene) == 0
        change.undo(scene)
        assert {session_now(token).outcome for token in secrets_of(answers)} <= {DEAD}
        assert {exchange_now(code).outcome for code in codes} == {DEAD}
        assert_portal_works(scene)
