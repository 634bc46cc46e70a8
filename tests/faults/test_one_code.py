"""Once only, against real workers: one code, one form (security F2 and F22; F1 is in tests/races)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.faults.answers import Answer
from tests.faults.clients import SLUG
from tests.faults.forms import forms
from tests.faults.hosts import Hosts
from tests.faults.operators import root_key_form

CALLERS = 16

#: Events from before the fault.
BUILT = {"portal.created": 1, "root_key.created": 1}


def count_events(hosts: Hosts) -> dict[str, int]:
    return dict(hosts.database.query("SELECT kind, count(*) FROM portal_portalevent GROUP BY kind"))


def at_once(calls: list[Callable[[], Answer]]) -> list[Answer]:
    """Make the calls at the same moment, each on a thread of its own, and return their answers in that order."""
    line = Barrier(len(calls), timeout=30)

    def run(call: Callable[[], Answer]) -> Answer:
        line.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@forms("rounds", short=5, full=100)
def test_f2_form_and_json_have_one_winner_together(hosts: Hosts, rounds: int) -> None:
    with hosts.serving() as host:
        for _ in range(rounds):
            code = host.mint()
            browsers = [host.browser() for _ in range(CALLERS // 2)]
            for browser in browsers:
                assert browser.open(code).status == 200
            posts = [browser.press for browser in browsers]
            calls = [lambda code=code: host.client().exchange(code)] * (CALLERS // 2)
            answers = at_once([call for pair in zip(posts, calls, strict=True) for call in pair])
            [won] = [answer for answer in answers if answer.secret]
            assert won.status in {200, 303}
            assert Counter(answer.status for answer in answers) == {won.status: 1, 401: CALLERS - 1}
            assert host.client().session(won.secret).status == 200
        assert count_events(hosts)["session.exchanged"] == rounds


@forms("rounds", short=5, full=100)
def test_f22_one_form_submitted_often_is_one_session(hosts: Hosts, rounds: int) -> None:
    with hosts.serving() as host:
        for _ in range(rounds):
            browser = host.browser()
            assert browser.open(host.mint()).status == 200
            answers = at_once([browser.press] * CALLERS)
            assert Counter(answer.status for answer in answers) == {303: CALLERS}
            assert len({answer.secret for answer in answers}) == 1
            assert host.client().session(answers[0].secret).status == 200
        assert count_events(hosts) == {**BUILT, "session.created": rounds, "session.exchanged": rounds}


@forms("rounds", short=2, full=25)
def test_f22_one_form_of_a_root_key_submitted_often_is_one_key(hosts: Hosts, rounds: int) -> None:
    path = "/admin/portal/rootkey/add/"
    with hosts.serving() as host:
        operator = host.operator()
        for _ in range(rounds):
            form = root_key_form(operator.hidden_fields(path))
            answers = at_once([lambda form=form: operator.post(path, form)] * CALLERS)
            assert Counter(answer.status for answer in answers) == {200: 1, 409: CALLERS - 1}
            [secret] = [answer.secret for answer in answers if answer.secret]
            body = {"slug": SLUG, "externalId": "user_123", "permissions": ["keys:read"]}
            assert host.client().call("createSession", body, secret).status == 200
        assert hosts.database.query("SELECT count(*) FROM portal_rootkey") == [(1 + rounds,)]
        assert count_events(hosts)["root_key.created"] == 1 + rounds
