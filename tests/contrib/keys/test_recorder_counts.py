"""Counts on their way to the table: nothing twice, from any number of threads and processes, and to whoever counts."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from portal import clock
from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.recorder import Recorder, Use, count_with, recorder
from portal.contrib.keys.verify import VerifiedKey, verify
from portal.keystore.base import Outcome
from tests.contrib.keys.counting import HOUR, count, counted, today
from tests.contrib.keys.making import make_key
from tests.contrib.keys.meanwhile import held, in_a_process


def known(key):
    """Return ``key`` as verification knows it."""
    return VerifiedKey(key.pk, 1, key.public_id, "ks_1", "user_123", key.name, (), "{}", None, None)


@pytest.fixture
def commits(monkeypatch):
    """Return ``commits(before=…, after=…)``, which has one of them called around each COMMIT."""

    def wrap(before=lambda: None, after=lambda: None):
        commit = connection.commit

        def disturbed():
            before()
            commit()
            after()

        monkeypatch.setattr(connection, "commit", disturbed)

    return wrap


def gone():
    raise OperationalError("the connection is gone")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("when", "total"), [("before", 0), ("after", 3)])
def test_a_commit_that_nobody_knows_of_is_not_tried_again(commits, caplog, monkeypatch, when, total):
    key, secret = make_key()
    for _ in range(3):
        verify(secret)
    commits(**{when: gone})
    recorder.flush()
    assert "3 uses of keys may not be counted" in caplog.text
    monkeypatch.undo()
    verify(secret)
    recorder.flush()
    recorder.flush()
    assert counted(key) == {"VALID": total + 1}


@pytest.mark.django_db(transaction=True)
def test_what_surely_failed_is_written_later_and_once():
    key, secret = make_key()
    verify(secret)

    def refuse(execute, sql, parameters, many, context):
        answer = execute(sql, parameters, many, context)
        if "INSERT" in sql:
            gone()
        return answer

    with connection.execute_wrapper(refuse):
        recorder.flush()
        recorder.flush()
    assert counted(key) == {}
    verify(secret)
    for _ in range(3):
        recorder.flush()
    assert counted(key) == {"VALID": 2}


@pytest.mark.django_db
def test_how_much_may_wait_while_the_database_is_away(database_away, monkeypatch, caplog):
    monkeypatch.setattr("portal.contrib.keys.recorder.PENDING", 2)
    key, _ = make_key()
    moments = [today() - number * HOUR for number in range(3)]
    with database_away(OperationalError("gone")):
        for moment in (*moments, moments[0]):
            recorder.record(Use(known(key), Outcome.DISABLED, moment))
            recorder.flush()
    assert "wait to be written" in caplog.text
    recorder.flush()
    assert counted(key) == {"DISABLED": 3}
    assert "1 uses of keys are not counted: more than 2 counts waited" in caplog.text


# ---- threads and processes


@pytest.mark.django_db(transaction=True)
def test_eight_threads_lose_no_count_and_never_deadlock():
    keys = [known(make_key()[0]) for _ in range(6)]
    now = clock.now()
    start = threading.Barrier(8)
    failed = []

    def work(number):
        # A process of its own, as far as counting goes.
        mine = Recorder()
        try:
            start.wait(10)
            for turn in range(10):
                for key in keys if (turn + number) % 2 else reversed(keys):
                    mine.record(Use(key, Outcome.DISABLED, now))
                mine.flush()
            # On SQLite one writer at a time: what was refused is written in the end.
            for _ in range(200):
                mine.flush()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [row.count for row in KeyUsage.objects.all()] == [80] * 6


@pytest.fixture
def in_small_steps():
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.django_db(transaction=True)
def test_threads_that_share_a_recorder_lose_no_use(in_small_steps):
    """Nor while it is being written, which the database may refuse."""
    row, _ = make_key()
    key = known(row)
    # Many hours, so that something is often counted for the first time.
    moments = [today() - number * HOUR for number in range(100)]
    mine = Recorder()
    start = threading.Barrier(8)
    failed = []

    def work():
        try:
            start.wait(10)
            for turn in range(1000):
                mine.record(Use(key, Outcome.DISABLED, moments[turn % 100]))
                if turn % 200 == 0:
                    mine.flush()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        mine.flush()
    assert failed == []
    assert counted(row) == {"DISABLED": 8000}


@pytest.mark.django_db
def test_uses_wait_as_counts_and_not_one_by_one():
    key = known(make_key()[0])
    mine = Recorder()
    for _ in range(1050):
        mine.record(Use(key, Outcome.VALID, clock.now()))
    assert len(mine._noted) < 100
    mine.flush()
    assert sum(row.count for row in KeyUsage.objects.all()) == 1050


@pytest.mark.django_db(transaction=True)
def test_an_older_use_that_is_noted_later_moves_no_last_use_back():
    key, now, mine = make_key()[0], clock.now(), Recorder()
    for moment in (now, now - timedelta(milliseconds=1)):
        mine.record(Use(known(key), Outcome.VALID, moment))
    mine.flush()
    key.refresh_from_db()
    assert key.last_used_at == now


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_being_deleted_costs_no_other_its_count(caplog):
    dying, dying_secret = make_key()
    key, secret = make_key()
    verify(dying_secret)
    verify(secret)

    def flush():
        recorder.flush()
        connection.close()

    with held(lambda: ApiKey.objects.filter(pk=dying.pk).delete()):
        flushing = threading.Thread(target=flush)
        flushing.start()
        # It runs in a request that happens to end: it gives up soon, and tries again below.
        flushing.join(5)
        assert not flushing.is_alive()
    assert not KeyUsage.objects.exists()
    recorder.flush()
    assert "may not be counted" not in caplog.text
    assert counted(key) == {"VALID": 1}
    assert KeyUsage.objects.count() == 1


FORKING = """
import os, sys
import django
django.setup()
from django.db import connections
from portal.contrib.keys.recorder import recorder
from portal.contrib.keys.verify import VerifiedKey, verify
key = sys.stdin.read()
assert verify(key).valid
connections.close_all()
with recorder._lock:
    child = os.fork()
if child == 0:
    recorder.flush()
    assert verify(key).valid
    recorder.flush()
    connections.close_all()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.django_db(transaction=True)
def test_what_was_noted_before_a_fork_is_written_by_the_parent_alone():
    key, secret = make_key()
    in_a_process(FORKING, secret)
    assert counted(key) == {"VALID": 2}


# ---- somebody else counts


@pytest.fixture
def told():
    """Return what the counter is told that stands in for the table."""
    told = []
    count_with(told.append)
    yield told
    count_with(None)


@pytest.mark.django_db
def test_who_counts_elsewhere_is_told_and_the_table_is_left_alone(told):
    key, secret = make_key()
    verify(secret, tags=["path=/maps"])
    verify("unknown")
    recorder.flush()
    [use] = told
    assert (use.key.id, use.outcome, use.tags) == (key.public_id, Outcome.VALID, ("path=/maps",))
    assert not KeyUsage.objects.exists()
    # When it was used last is ours to say, as before.
    assert ApiKey.objects.get(pk=key.pk).last_used_at == use.moment


@pytest.mark.django_db
def test_the_table_may_count_beside_somebody_else():
    key, secret = make_key()
    told = []
    count_with(told.append, table=True)
    try:
        verify(secret)
        recorder.flush()
    finally:
        count_with(None)
    assert len(told) == 1
    assert counted(key) == {"VALID": 1}
    verify(secret)
    recorder.flush()
    assert len(told) == 1
    assert counted(key) == {"VALID": 2}


@pytest.mark.django_db
def test_a_counter_that_fails_costs_the_request_nothing(caplog):
    key, secret = make_key()

    def fail(use):
        raise RuntimeError("no pipeline")

    count_with(fail)
    try:
        assert verify(secret).valid
    finally:
        count_with(None)
    assert f"The use of key {key.public_id} was not counted." in caplog.text
    assert secret not in caplog.text


@pytest.mark.django_db
def test_adding_is_adding():
    key, _ = make_key()
    with transaction.atomic():
        count(key, today(), 2)
        count(key, today(), 3)
    assert counted(key) == {"VALID": 5}
