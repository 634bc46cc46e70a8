"""One exchange code and many callers: one of them gets the session (security F1 and F2; design decisions 5 and 6)."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from portal import tokens
from portal.models import Issued, PortalConfig, PortalEvent, PortalSession, RootKey
from tests import factories
from tests.races.calls import enter, exchange, mint, open_form, session_now, submit
from tests.races.crew import CALLERS, Crew
from tests.races.rounds import on_both_hosts, rounds

pytestmark = pytest.mark.django_db(transaction=True)

WON, LOST = (200, ""), (401, "portal_session_not_found")
ENTERED, DEAD_LINK = (303, ""), (401, "")


def count_events(code: str) -> Counter[str]:
    session = PortalSession.objects.get(code_hash=tokens.digest(code))
    return Counter(PortalEvent.objects.filter(session_id=session.public_id).values_list("kind", flat=True))


def assert_spent_once(code: str) -> None:
    events = count_events(code)
    assert events["session.exchanged"] == 1
    assert events["session.replayed"] <= 1


@pytest.mark.parametrize("crew", [{}, {"ATOMIC_REQUESTS": True}], indirect=True, ids=["autocommit", "atomic-requests"])
@rounds(6)
def test_one_of_64_exchanges_wins(crew: Crew, config: PortalConfig, rounds: int) -> None:
    for _ in range(rounds):
        code = factories.mint(config).secret
        answers = crew.race([partial(exchange, code)] * CALLERS)
        assert Counter(answer.outcome for answer in answers) == {WON: 1, LOST: CALLERS - 1}
        [token] = [answer.secret for answer in answers if answer.outcome == WON]
        assert session_now(token).status == 200
        assert_spent_once(code)


@on_both_hosts
@rounds(5)
def test_form_and_json_have_one_winner_together(crew: Crew, config: PortalConfig, rounds: int) -> None:
    for _ in range(rounds):
        code = factories.mint(config).secret
        forms, others = CALLERS // 2, CALLERS // 2
        answers = crew.race([partial(enter, config.slug, code)] * forms + [partial(exchange, code)] * others)
        won = [answer for answer in answers if answer.outcome in {WON, ENTERED}]
        assert len(won) == 1
        assert session_now(won[0].secret).status == 200
        lost = Counter(answer.outcome for answer in answers if answer not in won)
        by_form = won[0].outcome == ENTERED
        assert lost == {DEAD_LINK: forms - by_form, LOST: others - (not by_form)}
        assert_spent_once(code)


@rounds(6)
def test_one_browser_may_press_the_button_often(crew: Crew, config: PortalConfig, rounds: int) -> None:
    for _ in range(rounds):
        code = factories.mint(config).secret
        form = open_form(config.slug, code)
        answers = crew.race([partial(submit, config.slug, form)] * CALLERS)
        assert Counter(answer.outcome for answer in answers) == {ENTERED: CALLERS}
        [token] = {answer.secret for answer in answers}
        assert session_now(token).status == 200
        assert count_events(code) == {"session.created": 1, "session.exchanged": 1}


@on_both_hosts
@rounds(3)
def test_64_mints_of_one_root_key_all_succeed(
    crew: Crew, config: PortalConfig, root_key: Issued[RootKey], rounds: int
) -> None:
    for _ in range(rounds):
        RootKey.objects.update(last_used_at=None)  # so that each mint also notes the use
        answers = crew.race([partial(mint, config.slug, root_key.secret)] * CALLERS)
        assert Counter(answer.outcome for answer in answers) == {WON: CALLERS}
        # A code that was answered exists: nothing that came after the mint took it back.
        hashes = [tokens.digest(answer.secret) for answer in answers]
        assert PortalSession.objects.filter(code_hash__in=hashes).count() == CALLERS
