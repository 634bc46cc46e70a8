"""The answer with a new secret gets lost on its way (security F21)."""

from __future__ import annotations

import json

import pytest

from tests.faults.answers import LOST, Answer
from tests.faults.clients import SLUG
from tests.faults.forms import forms
from tests.faults.hosts import Host, Hosts
from tests.faults.proxy import proxy
from tests.faults.test_lost_answers import WHILE_ANSWERING, break_line

HOUR = 3600


def sign_in(host: Host) -> str:
    """Return the token of a user who may make and rotate keys."""
    body = {"slug": SLUG, "externalId": "user_123", "permissions": ["keys:read", "keys:create", "keys:reroll"]}
    minted = host.client().call("createSession", body, host.root_key)
    return host.client().exchange(minted.secret).secret


def gateway_key(host: Host) -> str:
    """Return a root key that may ask whether a key is good, and nothing else."""
    made = host.manage("portal_create_root_key", "Gateway", "--permission", "api.*.verify_key", "--json")
    return str(json.loads(made)["key"])


def secrets_of(host: Host, key_id: str) -> int:
    query = "SELECT count(*) FROM portal_keys_keysecret s JOIN portal_keys_apikey k ON k.id = s.key_id"
    return int(host.database.query(f"{query} WHERE k.public_id = '{key_id}'")[0][0])


def assert_was_carried_out(answer: Answer, key_id: str) -> None:
    """Assert that the repeat is told which key it was, and gets no secret."""
    assert (answer.status, answer.error, answer.secret) == (409, "already_created", "")
    assert key_id in answer.text


@pytest.mark.parametrize("place", WHILE_ANSWERING.values(), ids=WHILE_ANSWERING)
@forms("rounds", short=1, full=10)
def test_f21_a_rotation_whose_answer_is_lost_is_one(hosts: Hosts, place: tuple[str, int], rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        gateway = gateway_key(host)
        for number in range(rounds):
            host.set_clock(0)
            token = sign_in(host)
            made = host.client().call("createKey", {"name": f"Key {number}"}, token)
            key_id, old = made.data["keyId"], made.secret
            body = {"keyId": key_id, "expiration": HOUR * 1000}
            client = host.client(port=line.port, may_lose=True)
            break_line(line, place)
            assert client.call("rerollKey", body, token, request_id="one").status == LOST
            line.heal()
            for _ in range(2):
                assert_was_carried_out(client.call("rerollKey", body, token, request_id="one"), key_id)
            assert secrets_of(host, key_id) == 2
            # So that the user is not locked out, the old secret goes on until its grace is over.
            host.set_clock(HOUR - 60)
            assert host.client().verify(old, gateway) == "VALID"
            again = host.client().call("rerollKey", body, token, request_id="two")
            assert host.client().verify(again.secret, gateway) == "VALID"
            # The secret that got lost is the old one now, and this one has ended.
            assert host.client().verify(old, gateway) == "EXPIRED"


@forms("rounds", short=1, full=10)
def test_f21_the_old_secret_ends_when_it_was_to_end(hosts: Hosts, rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        gateway = gateway_key(host)
        for number in range(rounds):
            host.set_clock(0)
            token = sign_in(host)
            made = host.client().call("createKey", {"name": f"Key {number}"}, token)
            body = {"keyId": made.data["keyId"], "expiration": HOUR * 1000}
            break_line(line, ("answer", 0))
            client = host.client(port=line.port, may_lose=True)
            assert client.call("rerollKey", body, token, request_id="one").status == LOST
            line.heal()
            # A repeat half an hour later neither shortens nor lengthens it.
            host.set_clock(HOUR / 2)
            assert_was_carried_out(client.call("rerollKey", body, token, request_id="one"), made.data["keyId"])
            for seconds, said in ((HOUR - 30, "VALID"), (HOUR + 1, "EXPIRED")):
                host.set_clock(seconds)
                assert host.client().verify(made.secret, gateway) == said


@pytest.mark.parametrize("place", WHILE_ANSWERING.values(), ids=WHILE_ANSWERING)
@forms("rounds", short=1, full=10)
def test_f21_a_key_whose_secret_is_lost_can_be_rotated(hosts: Hosts, place: tuple[str, int], rounds: int) -> None:
    with hosts.serving() as host, proxy(host.port) as line:
        gateway = gateway_key(host)
        token = sign_in(host)
        for number in range(rounds):
            body = {"name": f"Key {number}"}
            client = host.client(port=line.port, may_lose=True)
            break_line(line, place)
            assert client.call("createKey", body, token, request_id=f"make-{number}").status == LOST
            line.heal()
            listed = client.list_keys(token).data
            [key] = [key for key in listed if key["name"] == body["name"]]
            assert len(listed) == number + 1
            assert_was_carried_out(client.call("createKey", body, token, request_id=f"make-{number}"), key["keyId"])
            rotated = client.call("rerollKey", {"keyId": key["keyId"], "expiration": 0}, token)
            assert host.client().verify(rotated.secret, gateway) == "VALID"
