"""When keys were used last: noted in memory, written after requests, in batches, and never at the cost of anybody."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, close_old_connections, connection

from portal import clock
from portal.contrib.keys import recorder as module
from portal.contrib.keys import recorder_writes
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.recorder import Recorder, recorder
from portal.contrib.keys.verify import verify
from portal.keystore.base import Outcome
from tests.contrib.keys.counting import counted
from tests.contrib.keys.making import change, make_key, rotate
from tests.contrib.keys.meanwhile import held, in_a_process

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.contrib.keys.hosted")]

HOUR = timedelta(hours=1)


def used(key):
    return ApiKey.objects.get(pk=key.pk).last_used_at


def secrets_used(key):
    return list(KeySecret.objects.filter(key=key).order_by("pk").values_list("last_used_at", flat=True))


def test_a_use_is_written_later_and_in_no_request(django_assert_num_queries):
    key, secret = make_key()
    now = clock.now()
    with clock.using(lambda: now), django_assert_num_queries(1):
        verify(secret)
    assert used(key) is None
    recorder.flush()
    assert used(key) == now
    assert secrets_used(key) == [now]
    with django_assert_num_queries(0):
        recorder.flush()


def test_each_secret_has_its_own():
    key, old = make_key()
    first = clock.now()
    with clock.using(lambda: first):
        new = rotate(key, HOUR)
        verify(old)
    second = first + timedelta(seconds=5)
    with clock.using(lambda: second):
        verify(new)
    recorder.flush()
    assert used(key) == second
    assert secrets_used(key) == [first, second]


def test_what_counts_as_a_use():
    """The key was good, whatever else refused the request."""
    seen = {}
    for outcome, fields, needed in (
        ("VALID", {}, ()),
        ("RATE_LIMITED", {"rate_limit": 0}, ()),
        ("INSUFFICIENT_PERMISSIONS", {}, "a"),
        ("FORBIDDEN", {"locked": True}, ()),
        ("DISABLED", {"enabled": False}, ()),
        ("EXPIRED", {"expires_at": clock.from_milliseconds(0)}, ()),
    ):
        key, secret = make_key(**fields)
        assert verify(secret, permissions=needed).outcome == outcome
        recorder.flush()
        seen[outcome] = (used(key) is not None, secrets_used(key) != [None])
    assert seen == {
        **dict.fromkeys(("VALID", "RATE_LIMITED", "INSUFFICIENT_PERMISSIONS"), (True, True)),
        **dict.fromkeys(("FORBIDDEN", "DISABLED", "EXPIRED"), (False, False)),
    }


def test_the_recorder_is_told_everything_of_known_keys(monkeypatch):
    told = []
    monkeypatch.setattr(recorder, "record", told.append)
    key, secret = make_key(external_id="user_7")
    now = clock.now()
    with clock.using(lambda: now):
        verify(secret, tags=["path=/maps", "region=eu"])
        change(key, enabled=False)
        verify(secret)
        verify("unknown")
        verify(secret, keyspace_id="ks_2")
    assert [(use.outcome, use.moment, use.tags) for use in told] == [
        (Outcome.VALID, now, ("path=/maps", "region=eu")),
        (Outcome.DISABLED, now, ()),
    ]
    assert {(use.key.id, use.key.keyspace_id, use.key.external_id) for use in told} == {
        (key.public_id, "ks_1", "user_7")
    }


def test_time_goes_forward_only():
    key, secret = make_key()
    now = clock.now()
    for moment, expected in ((now, now), (now - HOUR, now), (now + HOUR, now + HOUR)):
        with clock.using(lambda moment=moment: moment):
            verify(secret)
        recorder.flush()
        assert used(key) == expected
        assert secrets_used(key) == [expected]
    # In memory too.
    for moment in (now + 3 * HOUR, now + 2 * HOUR):
        with clock.using(lambda moment=moment: moment):
            verify(secret)
    recorder.flush()
    assert used(key) == now + 3 * HOUR


def test_nothing_else_changes():
    key, secret = make_key()
    columns = [field.name for field in ApiKey._meta.concrete_fields if field.name != "last_used_at"]
    before = ApiKey.objects.filter(pk=key.pk).values(*columns).get()
    verify(secret)
    recorder.flush()
    assert used(key) is not None
    assert ApiKey.objects.filter(pk=key.pk).values(*columns).get() == before


def test_many_keys_in_few_statements(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(recorder_writes, "BATCH", 100)
    now = clock.now()
    keys = [make_key()[0] for _ in range(150)]
    others = [make_key()[0] for _ in range(3)]
    for number, key in enumerate(keys):
        recorder.note_used(ApiKey, key.pk, now + timedelta(milliseconds=number))
    # Two batches, each in a savepoint because a test is a transaction.
    with django_assert_num_queries(2 * 3):
        recorder.flush()
    assert [used(key) for key in keys] == [now + timedelta(milliseconds=number) for number in range(150)]
    assert [used(key) for key in others] == [None] * 3


def test_a_key_that_is_gone_disturbs_nobody():
    key, secret = make_key()
    gone, gone_secret = make_key()
    verify(secret)
    verify(gone_secret)
    gone.delete()
    recorder.flush()
    assert used(key) is not None


# ---- when


def test_it_is_written_when_a_request_has_ended_and_not_again_for_a_while(client, monkeypatch):
    key, secret = make_key()
    headers = {"Authorization": f"Bearer {secret}"}
    now = clock.now()
    with clock.using(lambda: now):
        assert client.get("/maps/", headers=headers).status_code == 200
    assert used(key) == now
    later = now + timedelta(seconds=5)
    with clock.using(lambda: later):
        client.get("/maps/", headers=headers)
    assert used(key) == now
    # Any request will do, once it is time.
    monkeypatch.setattr(module.time, "monotonic", lambda: 10**9)
    assert client.get("/health/live").status_code == 200
    assert used(key) == later


def test_a_full_memory_is_written_at_once_and_holds_no_more(client, monkeypatch, caplog):
    monkeypatch.setattr(module, "PENDING", 2)
    recorder.flush()
    keys = [make_key() for _ in range(3)]
    late = clock.now().replace(minute=59)
    with clock.using(lambda: late.replace(minute=0)):
        for _, secret in (*keys, keys[2]):
            verify(secret)
    with clock.using(lambda: late):
        verify(keys[1][1])
    client.get("/health/live")
    assert [used(key) is not None for key, _ in keys] == [True, True, False]
    # What is noted already still moves.
    assert used(keys[1][0]) == late
    assert secrets_used(keys[1][0]) == [late]
    assert [counted(key) for key, _ in keys] == [{"VALID": 1}, {"VALID": 2}, {}]
    assert "2 uses of keys are not counted" in caplog.text


def test_no_more_last_uses_wait_than_counts_need(monkeypatch):
    monkeypatch.setattr(module, "PENDING", 1)
    keys = [make_key()[0] for _ in range(3)]
    for key in keys:
        recorder.note_used(ApiKey, key.pk, clock.now())
    recorder.flush()
    assert [used(key) is not None for key in keys] == [True, True, False]


CHILD = """
import django
django.setup()
import sys
from portal.contrib.keys.verify import verify
assert verify(sys.stdin.read()).valid
"""


@pytest.mark.django_db(transaction=True)
def test_it_is_written_when_the_process_ends():
    key, secret = make_key()
    in_a_process(CHILD, secret)
    assert used(key) is not None
    assert secrets_used(key) != [None]
    assert counted(key) == {"VALID": 1}


# ---- at nobody's cost


def test_a_database_that_refuses_is_asked_again_later(client, database_away, caplog, monkeypatch):
    key, secret = make_key()
    now = clock.now()
    with clock.using(lambda: now):
        verify(secret)
    with database_away(OperationalError("gone")):
        recorder.flush()
        # The request that ends then has its answer.
        monkeypatch.setattr(module.time, "monotonic", lambda: 10**9)
        assert client.get("/health/live").status_code == 200
    assert "1 uses of keys, and the last use of 2 keys and secrets, wait to be written: OperationalError" in caplog.text
    assert used(key) is None
    assert counted(key) == {}
    with clock.using(lambda: now - HOUR):
        verify(secret)
    recorder.flush()
    assert used(key) == now
    assert secrets_used(key) == [now]
    assert counted(key) == {"VALID": 2}


def test_what_was_written_before_the_refusal_is_not_tried_again(caplog):
    key, secret = make_key()
    verify(secret)
    written = []

    def refuse(execute, sql, parameters, many, context):
        if sql.startswith('UPDATE "portal_keys_keysecret"'):
            raise OperationalError("gone")
        written.extend(word for word in sql.split(" ", 3) if word.startswith('"portal_keys_'))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(refuse):
        recorder.flush()
        recorder.flush()
    assert written == ['"portal_keys_keyusage"', '"portal_keys_apikey"']
    assert "0 uses of keys, and the last use of 1 keys and secrets" in caplog.text
    recorder.flush()
    assert used(key) is not None
    assert secrets_used(key) != [None]
    assert counted(key) == {"VALID": 1}


def test_a_database_that_refuses_is_left_alone_for_a_while(client, database_away, caplog, monkeypatch):
    """Not asked with every request, though the memory is full."""
    monkeypatch.setattr(module, "PENDING", 1)
    key, secret = make_key()
    verify(secret)
    start = time.monotonic()
    with database_away(OperationalError("gone")):
        for passed in (0, 9, 11):
            monkeypatch.setattr(module.time, "monotonic", lambda passed=passed: start + passed)
            assert client.get("/health/live").status_code == 200
            assert client.get("/health/live").status_code == 200
    assert caplog.text.count("wait to be written") == 2
    recorder.flush()
    assert used(key) is not None
    # Once it answers again, a full memory is written at once.
    later = clock.now() + HOUR
    with clock.using(lambda: later):
        verify(secret)
    client.get("/health/live")
    assert used(key) == later


def busy_timeout():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_nobody_who_writes():
    busy, busy_secret = make_key()
    free, free_secret = make_key()
    verify(busy_secret)
    verify(free_secret)
    with held(lambda: change(busy, name="Held")):
        started = time.monotonic()
        recorder.flush()
        took = time.monotonic() - started
    # The busy timeout of the tests on SQLite is 30 seconds.
    assert took < 10
    assert used(busy) is None
    if connection.vendor == "sqlite":
        # There the whole file was held; the timeout is the host's again.
        assert used(free) is None
        assert busy_timeout() == 30_000
        recorder.flush()
        assert used(busy) is not None
    assert used(free) is not None


@pytest.mark.django_db(transaction=True)
def test_eight_threads_lose_no_use():
    keys = [make_key() for _ in range(8)]
    now = clock.now()
    mine = Recorder()
    start = threading.Barrier(8)

    def work(key):
        try:
            start.wait(10)
            for number in range(50):
                mine.note_used(ApiKey, key.pk, now + timedelta(milliseconds=number))
                if number % 10 == 0:
                    mine.flush()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(key,)) for key, _ in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mine.flush()
    assert {used(key) for key, _ in keys} == {now + timedelta(milliseconds=49)}


@pytest.mark.django_db(transaction=True)
def test_it_leaves_no_connection_open(client):
    _, secret = make_key()
    answered = []

    def serve():
        answered.append(client.get("/maps/", headers={"Authorization": f"Bearer {secret}"}).status_code)
        answered.append(connection.connection is None)

    thread = threading.Thread(target=serve)
    close_old_connections()
    thread.start()
    thread.join()
    assert answered == [200, True]
