"""The table of counts stays small: old hours become days, what is older goes, and no count is lost or made."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret, KeyUsage
from portal.contrib.keys.models.usage import Count, hour_of
from portal.contrib.keys.store import DatabaseKeyStore
from portal.contrib.keys.usage_rollup import RollUp, roll_up
from portal.keystore.base import Outcome
from portal.management import batches
from tests.contrib.keys.counting import DAY, HOUR, count, counted, rows, today, usage
from tests.contrib.keys.making import change, make_key, rotate
from tests.contrib.keys.meanwhile import held

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_no_hurry(monkeypatch):
    monkeypatch.setattr(batches, "PAUSE_SECONDS", 0)


def run(*arguments):
    out = StringIO()
    call_command("portal_rollup", *arguments, stdout=out)
    return out.getvalue()


def test_hours_become_days_after_two_weeks_and_days_go_after_the_retention(settings):
    settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": timedelta(days=30, hours=5)}
    key, _ = make_key()
    now = today() + 4 * HOUR
    # Thirty days and five hours before four o'clock are in the day that began 31 days ago.
    days = [14, 15, 31, 32]
    for day in days:
        for hour in (0, 1, 23):
            count(key, today() - day * DAY + hour * HOUR, hour + 1)
    with clock.using(lambda: now):
        assert run() == "Folded 4 hours into days and deleted 3 counts.\n"
        assert rows(key) == {
            today() - 14 * DAY: 1,
            today() - 14 * DAY + HOUR: 2,
            today() - 14 * DAY + 23 * HOUR: 24,
            today() - 15 * DAY: 27,
            today() - 31 * DAY: 27,
        }
        assert run() == "Folded 0 hours into days and deleted 0 counts.\n"
    assert sum(rows(key).values()) == 81


def test_each_key_and_outcome_is_folded_for_itself_and_sums_stay():
    keys = [make_key()[0] for _ in range(3)]
    begin = today() - 17 * DAY
    for number, key in enumerate(keys):
        for hour in range(0, 5 * 24, 5):
            count(key, begin + hour * HOUR, number + 1)
            count(key, begin + hour * HOUR, 1, Outcome.EXPIRED)
    before = usage(begin, begin + 5 * DAY, DAY)
    assert roll_up(7).deleted == 0
    assert usage(begin, begin + 5 * DAY, DAY) == before
    # Three days are old enough; two are not.
    assert KeyUsage.objects.filter(hour__lt=hour_of(begin + 3 * DAY)).count() == 3 * 3 * 2
    assert KeyUsage.objects.filter(hour__gte=hour_of(begin + 3 * DAY)).count() == 3 * 9 * 2
    # What comes late is folded the next time.
    count(keys[0], begin + 7 * HOUR, 100)
    assert roll_up(7) == RollUp(folded=1, deleted=0)
    assert usage(begin, begin + DAY, DAY)[keys[0].public_id, begin]["VALID"] == 105


@pytest.mark.parametrize("batch", [1, 4, 1000])
def test_no_batch_is_too_small(batch):
    key, _ = make_key()
    for hour in range(24):
        count(key, today() - 20 * DAY + hour * HOUR)
    for day in (100, 200):
        count(key, today() - day * DAY)
    assert run("--batch", str(batch), "--json") == '{"rolled_up": {"folded": 23, "deleted": 2}}\n'
    assert rows(key) == {today() - 20 * DAY: 24}


def test_a_dry_run_counts_and_changes_nothing():
    key, _ = make_key()
    for hour in range(24):
        count(key, today() - 20 * DAY + hour * HOUR)
    count(key, today() - 100 * DAY + HOUR)
    assert json.loads(run("--dry-run", "--json")) == {"would_roll_up": {"folded": 23, "deleted": 1}}
    assert run("--dry-run") == "Would fold 23 hours into days and delete 1 counts.\n"
    assert len(rows(key)) == 25


def test_without_counts_there_is_nothing_to_do():
    assert run() == "Folded 0 hours into days and deleted 0 counts.\n"


def test_a_batch_of_none_is_refused():
    with pytest.raises(CommandError, match="--batch must be 1 or more"):
        run("--batch", "0")


def test_purge_rolls_up_too():
    """One line of cron is enough."""
    key, _ = make_key()
    for hour in range(24):
        count(key, today() - 20 * DAY + hour * HOUR)
    call_command("portal_purge", stdout=StringIO())
    assert rows(key) == {today() - 20 * DAY: 24}


def test_with_a_revoked_key_go_its_counts_in_batches():
    key, _ = make_key()
    kept, _ = make_key()
    for hour in range(50):
        count(key, today() - hour * HOUR)
    count(kept, today())
    ApiKey.objects.revoke(key.public_id)
    change(key, revoked_at=clock.now() - 31 * DAY)
    most = []

    def measure(execute, sql, parameters, many, context):
        answer = execute(sql, parameters, many, context)
        if "DELETE" in sql and "keyusage" in sql:
            most.append(context["cursor"].rowcount)
        return answer

    with connection.execute_wrapper(measure):
        assert DatabaseKeyStore().purge(clock.now() - 30 * DAY, 20) == 1
    assert max(most) <= 20
    assert not ApiKey.objects.filter(pk=key.pk).exists()
    assert KeyUsage.objects.count() == 1


def test_a_key_whose_old_secret_goes_keeps_its_counts():
    key, _ = make_key()
    rotate(key)
    count(key, today())
    KeySecret.objects.filter(key=key, ends_at__isnull=False).update(ends_at=clock.now() - 31 * DAY)
    store = DatabaseKeyStore()
    assert [store.purge(clock.now() - 30 * DAY, 20) for _ in range(2)] == [1, 0]
    assert KeySecret.objects.filter(key=key).count() == 1
    assert [str(row) for row in KeyUsage.objects.all()] == ["VALID 1"]


# ---- stopped, and at the same time


@pytest.mark.parametrize(("statement", "number"), [("DELETE", 4), ("INSERT", 3)])
def test_stopped_in_the_middle_it_goes_on_where_it_was(statement, number):
    """The first DELETE is of what is beyond the retention."""
    key, _ = make_key()
    begin = today() - 20 * DAY
    for hour in range(24):
        count(key, begin + hour * HOUR)
    seen = []

    def stop(execute, sql, parameters, many, context):
        answer = execute(sql, parameters, many, context)
        if f"{statement} " in sql and "keyusage" in sql:
            seen.append(sql)
            if len(seen) == number:
                raise OperationalError("stopped")
        return answer

    with connection.execute_wrapper(stop), pytest.raises(OperationalError):
        roll_up(5)
    # Two batches of five are in the day.
    assert rows(key)[begin] == 11
    assert sum(rows(key).values()) == 24
    assert roll_up(5) == RollUp(folded=13, deleted=0)
    assert rows(key) == {begin: 24}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_beside_flushes_lose_nothing():
    keys = [make_key()[0] for _ in range(5)]
    begin = today() - 20 * DAY
    for key in keys:
        KeyUsage.objects.add({Count(key.pk, hour_of(begin) + hour, "VALID"): 1 for hour in range(72)})
    start = threading.Barrier(3)
    failed, folded = [], []

    def work(act):
        try:
            start.wait(10)
            act()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    def flush():
        for _ in range(30):
            with transaction.atomic():
                KeyUsage.objects.add({Count(key.pk, hour_of(today()), "VALID"): 1 for key in reversed(keys)})

    acts = [lambda: folded.append(roll_up(10).folded), lambda: folded.append(roll_up(10).folded), flush]
    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    # Of both together each hour once; whoever was passed by, is folded the next time.
    folded.append(roll_up(10).folded)
    assert sum(folded) == 5 * 69
    for key in keys:
        assert rows(key) == {**{begin + day * DAY: 24 for day in range(3)}, today(): 30}


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_is_left_for_the_next_time():
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has no row locks.")
    key, _ = make_key()
    begin = today() - 20 * DAY
    count(key, begin + HOUR)
    count(key, begin + 2 * HOUR)
    with held(lambda: count(key, begin + HOUR)):
        assert roll_up(10).folded == 1
    assert roll_up(10).folded == 1
    assert rows(key) == {begin: 3}
    assert counted(key) == {"VALID": 3}
