"""The list of a user with 10,000 keys costs as many statements as that of one with three pages."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal import clock
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.keystore.listing import write_cursor
from portal.models import PortalConfig
from tests.pages.key_flow import USER

#: ui-spec 2.13.
MOST_QUERIES = 8


def put_many(config: PortalConfig, number: int) -> None:
    """Give the user so many keys at once."""
    now = clock.now()
    keys = ApiKey.objects.bulk_create(
        ApiKey(
            keyspace_id=config.keyspace_id,
            external_id=USER,
            name=f"Worker {index:05}",
            start="sk_abcd",
            created_at=now - timedelta(minutes=index),
        )
        for index in range(number)
    )
    KeySecret.objects.bulk_create(
        KeySecret(key=key, secret_hash=index.to_bytes(32, "big"), start=key.start) for index, key in enumerate(keys)
    )


def before_last_page(number: int) -> str:
    """Return the cursor behind the last key of the page before the last, in the order of names."""
    row = ApiKey.objects.get(name=f"Worker {number - 11:05}")
    return write_cursor(False, row.name.lower(), row.pk)


def queries_of(client: Client, path: str) -> tuple[int, str]:
    """Return how many statements a page takes, and the page."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(captured), unescape(answer.content.decode())


@pytest.mark.usefixtures("signed_in")
def test_the_list_costs_the_same_however_many_keys_there_are(client: Client, config: PortalConfig) -> None:
    config.key_limit = None
    config.save()
    costs = []
    for number in (60, 10_000):
        ApiKey.objects.all().delete()
        put_many(config, number)
        path = "/my-portal/keys/?sort=name"
        first, html = queries_of(client, path)
        assert "Worker 00000" in html
        last, html = queries_of(client, f"{path}&cursor={before_last_page(number)}")
        assert f"Worker {number - 1:05}" in html
        assert 'rel="next"' not in html
        costs.append((first, last))
    import time, statistics
    for q in (path, f"{path}&cursor={before_last_page(number)}", "/my-portal/keys/"):
        t = []
        for _ in range(20):
            a = time.perf_counter(); client.get(q); t.append(1000 * (time.perf_counter() - a))
        print("MEDIAN", connection.vendor, q[:30], round(statistics.median(t), 1), costs)
    assert costs[0] == costs[1]
    assert max(costs[1]) <= MOST_QUERIES
