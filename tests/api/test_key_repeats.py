"""Idempotency-Key: a repeat never makes a second secret, and never shows the first again (fault table, F21 and F22)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client

from portal.models import PortalEvent
from tests.envelopes import assert_answer, assert_refused
from tests.factories import PortalConfigFactory, sign_in

pytestmark = pytest.mark.django_db

REPEATED = "portal/keys/already_created"
TEXT = (
    "An earlier request with this Idempotency-Key was carried out, for key {}. Its secret was shown then and cannot be "
    "shown again; rotate the key to get a new one."
)
AT_ONCE = 4


@pytest.fixture
def create(api, store, token):
    """Return ``create(name, idempotency_key, token=…)``, which returns the answer of createKey."""

    def call(name="Laptop", idempotency_key="a-uuid", token=token):
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return api("createKey", {"name": name}, token=token, **headers)

    return call


@pytest.fixture
def reroll(api, store, token):
    """Return ``reroll(key id, idempotency_key)``, which returns the answer of rerollKey."""

    def call(key_id, idempotency_key="a-uuid", token=token):
        headers = {"Idempotency-Key": idempotency_key}
        return api("rerollKey", {"keyId": key_id, "expiration": 3_600_000}, token=token, **headers)

    return call


def assert_repeated(answer, made):
    """Assert the 409 that names the key of ``made``, the data of the first answer, and does not show its secret."""
    assert_refused(answer, 409, REPEATED, TEXT.format(made["keyId"]))
    for part in (made["key"], made["key"][-49:], made["key"][-20:]):
        assert part not in answer.content.decode() + str(answer.headers)


def test_a_repeat_of_create_names_the_key_and_makes_none(api, token, create):
    made = assert_answer(create())["data"]
    for _ in range(2):
        assert_repeated(create(), made)
    # Whatever the repeat says: the name of the request counts, also when the key is gone.
    assert_repeated(create("Desk"), made)
    assert [key["keyId"] for key in assert_answer(api("listKeys", token=token))["data"]] == [made["keyId"]]
    assert PortalEvent.objects.filter(kind="key.created").count() == 1


def test_a_repeat_of_reroll_names_the_key_and_leaves_its_secret(store, create, reroll):
    made = assert_answer(create())["data"]
    # The same value for another operation is another request.
    rotated = assert_answer(reroll(made["keyId"]))["data"]
    assert_repeated(reroll(made["keyId"]), rotated)
    assert store.accepts(rotated["key"])
    assert PortalEvent.objects.filter(kind="key.rotated").count() == 1
    again = assert_answer(reroll(made["keyId"], "another-uuid"))["data"]
    assert again["keyId"] == made["keyId"]
    assert again["key"] != rotated["key"]


def test_another_idempotency_key_is_another_request(create):
    ids = {assert_answer(create(f"Key {value}", value))["data"]["keyId"] for value in ("a", "A", "b")}
    assert len(ids) == 3


def test_without_the_header_every_request_counts(create):
    ids = {assert_answer(create(f"Key {number}", None))["data"]["keyId"] for number in range(2)}
    assert len(ids) == 2
    assert_refused(create("Key 0", None), 409, "portal/keys/name_taken")


def test_row_24_another_users_idempotency_key_is_their_own(config, create):
    made = assert_answer(create())["data"]
    for token in (
        sign_in(config, "user_456").secret,
        sign_in(PortalConfigFactory(keyspace_id="ks_2")).secret,
    ):
        other = assert_answer(create(token=token))["data"]
        assert other["keyId"] != made["keyId"]


def test_a_refused_request_may_be_sent_again(create):
    assert_refused(create("x" * 101), 400, "unkey/application/invalid_input")
    first = assert_answer(create("Laptop", "first"))["data"]
    assert_refused(create("Laptop", "second"), 409, "portal/keys/name_taken")
    assert assert_answer(create("Desk", "second"))["data"]["keyId"] != first["keyId"]
    assert_answer(create("Phone"))


@pytest.mark.parametrize(
    "value", ["!", "~" * 255, '"quoted-as-the-draft-has-it"', "f47ac10b-58cc-4372-a567-0e02b2c3d479"]
)
def test_values_of_the_header(create, value):
    made = assert_answer(create(idempotency_key=value))["data"]
    assert_repeated(create(idempotency_key=value), made)


@pytest.mark.parametrize("value", ["", " ", "a b", "x" * 256, "a\tb", "é", "\x7f"])
@pytest.mark.parametrize("operation", ["create", "reroll"])
def test_a_bad_header_is_400_and_does_nothing(api, store, token, create, reroll, operation, value):
    made = assert_answer(create("Laptop", None))["data"]
    answer = create("Desk", value) if operation == "create" else reroll(made["keyId"], value)
    findings = assert_refused(answer, 400, "unkey/application/invalid_input", "The Idempotency-Key is not valid.")
    assert [finding["location"] for finding in findings] == ["header.Idempotency-Key"]
    assert [key["name"] for key in assert_answer(api("listKeys", token=token))["data"]] == ["Laptop"]
    assert store.accepts(made["key"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("operation", ["createKey", "rerollKey"])
def test_of_several_at_once_one_makes_the_secret(store, token, create, operation):
    """The others are told which key it was."""
    body = {"name": "Phone"}
    if operation == "rerollKey":
        body = {"keyId": assert_answer(create("Laptop", None))["data"]["keyId"], "expiration": 0}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "at-once"}
    start = Barrier(AT_ONCE)

    def call(_):
        try:
            start.wait(10)
            return Client().post(f"/v2/portal.{operation}", body, content_type="application/json", headers=headers)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = sorted(pool.map(call, range(AT_ONCE)), key=lambda answer: answer.status_code)
    made = assert_answer(answers[0])["data"]
    for answer in answers[1:]:
        assert_repeated(answer, made)
    assert store.accepts(made["key"])
