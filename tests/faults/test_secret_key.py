"""SECRET_KEY is rotated between two runs of the server (security F24)."""

from __future__ import annotations

from tests.faults.answers import LOST
from tests.faults.clients import Browser, field_of
from tests.faults.forms import forms
from tests.faults.hosts import Host, Hosts
from tests.faults.proxy import proxy, up_to

OLD, NEW = "o" * 50, "n" * 50


def open_link(host: Host) -> Browser:
    browser = host.browser()
    assert browser.open(host.mint()).status == 200
    return browser


def lose_answer(host: Host) -> Browser:
    with proxy(host.port) as line:
        browser = host.browser(port=line.port, may_lose=True)
        assert browser.open(host.mint()).status == 200
        line.answer = up_to(0)
        assert browser.press().status == LOST
    browser.point_at(host.port)
    return browser


@forms("rounds", short=1, full=3)
def test_f24_with_the_old_key_as_a_fallback_nothing_breaks(hosts: Hosts, rounds: int) -> None:
    host = hosts.make()
    for _ in range(rounds):
        with host.serving(SECRET_KEY=OLD):
            inside, waiting, losing = open_link(host), open_link(host), lose_answer(host)
            token = inside.press().secret
            form_token = field_of(inside.get("/my-portal/session/").text, "form_token")
        with host.serving(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD):
            assert inside.get("/my-portal/session/").status == 200
            assert host.client().session(token).status == 200
            for browser in (waiting, losing):
                answer = browser.press()
                assert answer.status == 303
                assert host.client().session(answer.secret).status == 200
            assert inside.post("/my-portal/session/end/", {"form_token": form_token}).status == 303
            assert host.client().session(token).status == 401


@forms("rounds", short=1, full=3)
def test_f24_without_it_open_forms_and_lost_answers_are_lost(hosts: Hosts, rounds: int) -> None:
    host = hosts.make()
    for _ in range(rounds):
        with host.serving(SECRET_KEY=OLD):
            inside, waiting, losing = open_link(host), open_link(host), lose_answer(host)
            token = inside.press().secret
        with host.serving(SECRET_KEY=NEW):
            assert inside.get("/my-portal/session/").status == 200
            assert host.client().session(token).status == 200
            # Its code is good still, for a fresh form.
            assert waiting.press().status == 403
            assert waiting.open(waiting.code).status == 200
            assert waiting.press().status == 303
            assert losing.press().status == 403
            assert losing.open(losing.code).status == 401
