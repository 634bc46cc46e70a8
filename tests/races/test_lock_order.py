"""Deleting a portal takes the locks of its sessions in the one order that everybody takes them in: newest first.

Played step by step and not raced: in races the two meet too rarely.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from portal import clock
from portal.models import PortalConfig, PortalSession
from tests.factories import PortalConfigFactory, mint

pytestmark = pytest.mark.django_db(transaction=True)

DELETIONS: dict[str, Callable[[PortalConfig], object]] = {
    "delete_portal": lambda config: config.delete(),
    "delete_portals": lambda config: PortalConfig.objects.filter(pk=config.pk).delete(),
}


def in_thread(delete: Callable[[PortalConfig], object], config: PortalConfig) -> None:
    try:
        delete(config)
    finally:
        connection.close()


def wait_until_somebody_waits() -> None:
    """Return once another connection waits for a row of ours; on SQLite it waits for us in any case."""
    if connection.vendor != "postgresql":
        return
    # Not pg_stat_activity: within a transaction that shows one moment again and again.
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(query)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("Nobody waits: the deletion did not meet the entry.")


@pytest.mark.parametrize("how", DELETIONS)
def test_a_deletion_and_an_entry_wait_for_each_other_and_both_succeed(how: str) -> None:
    config = PortalConfigFactory()
    older, newer = mint(config, "a").row, mint(config, "b").row
    rows = PortalSession.objects
    with ThreadPoolExecutor(1) as pool:
        # What an exchange does that replaces a session: the new row, then the one before.
        with transaction.atomic():
            rows.filter(pk=newer.pk).update(replayed_at=clock.now())
            deletion = pool.submit(in_thread, DELETIONS[how], config)
            wait_until_somebody_waits()
            rows.filter(pk=older.pk).update(replayed_at=clock.now())
        deletion.result(timeout=30)
    assert not PortalConfig.objects.exists()
    assert not rows.exists()
