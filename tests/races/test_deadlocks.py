"""Whoever ends sessions is stopped neither by those who use them nor by another who ends them.

A transaction that writes two sessions, and one that writes many, must lock them in one order. Otherwise PostgreSQL stops
one of the two after a second, and it may be the operator's: then the portal stays open.
"""

from __future__ import annotations

from functools import partial

import pytest

from portal.models import PortalConfig
from tests.factories import sign_in
from tests.races.calls import do, enter, session_now
from tests.races.changes import (
    CHANGES,
    Change,
    disable_portal,
    disable_root_key,
    live_from_before,
    mint_codes,
    race_a_change,
    set_scene,
)
from tests.races.crew import Crew
from tests.races.rounds import rounds

pytestmark = pytest.mark.django_db(transaction=True)

BROWSERS = 40
SESSIONS = 150

#: Inside, dead link, portal closed, portal gone: what a person who comes back may see. No 503.
PAGES = {303, 401, 403, 404}


@rounds(2)
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_people_who_come_back_do_not_stop_a_change(crew: Crew, change: Change, rounds: int) -> None:
    """Each browser holds a session already, which the exchange of a new code ends in its transaction."""
    for _ in range(rounds):
        scene = set_scene()
        config = PortalConfig.objects.get(slug=scene.slug)
        held = [sign_in(config, f"user_{n}", minted_by=scene.root_key_pk).secret for n in range(BROWSERS)]
        codes = mint_codes(scene, BROWSERS)
        pairs = zip(codes, held, strict=True)
        answers = race_a_change(
            crew, scene, change, [*([partial(enter, scene.slug, code, held=old)] for code, old in pairs), []]
        )
        assert {answer.status for answer in answers} <= PAGES
        assert live_from_before(scene) == 0
        change.undo(scene)
        tokens = [answer.secret for answer in answers if answer.status == 303] + held
        assert {session_now(token).status for token in tokens} == {401}


@rounds(3)
def test_two_changes_do_not_stop_each_other(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        scene = set_scene()
        mint_codes(scene, SESSIONS)
        crew.race([partial(do, partial(change, scene)) for change in (disable_portal, disable_root_key)])
        assert live_from_before(scene) == 0
