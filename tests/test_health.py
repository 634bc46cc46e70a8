"""What a load balancer asks (design decision 10, requirement 28)."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse

READY, LIVE = "/health/ready", "/health/live"


def assert_health(answer, code, status):
    assert answer.status_code == code
    assert answer.json() == {"status": status}
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"


def test_live_asks_no_database(client):
    # Without the mark for databases pytest refuses every query.
    assert_health(client.get(LIVE), 200, "ok")
    assert client.head(LIVE).status_code == 200
    assert client.post(LIVE).status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("host", "prefix"),
    [("tests.hosts.full", ""), ("tests.hosts.api_only", ""), ("tests.hosts.pages_only", "/customers")],
)
def test_ready_in_every_host(client, settings, host, prefix):
    settings.ROOT_URLCONF = host
    assert reverse("portal:health-ready") == prefix + READY
    assert_health(client.get(prefix + READY), 200, "ok")
    assert_health(client.get(prefix + LIVE), 200, "ok")


@pytest.mark.django_db(transaction=True)
def test_no_login_of_the_host_stands_before_it(client, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert_health(client.get(READY), 200, "ok")
    assert_health(client.get(LIVE), 200, "ok")


@pytest.mark.django_db(transaction=True)
def test_503_while_a_migration_is_not_applied(client):
    rows = MigrationRecorder.Migration.objects.filter(app="portal")
    first = rows.first()
    rows.filter(pk=first.pk).update(app="other")
    try:
        assert_health(client.get(READY), 503, "migrations pending")
    finally:
        MigrationRecorder.Migration.objects.filter(pk=first.pk).update(app="portal")
    assert_health(client.get(READY), 200, "ok")


@pytest.mark.django_db(transaction=True)
def test_row_28_503_without_a_reason_when_the_database_refuses(client, caplog):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO away")
    try:
        assert_health(client.get(READY), 503, "database unavailable")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO django_migrations")
    assert [line.name for line in caplog.records] == ["portal.health"]
    assert_health(client.get(READY), 200, "ok")


@contextmanager
def hanging_database(monkeypatch):
    """Let every new connection wait for a lock for longer than a health check has."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE django_migrations")
            yield
        return
    # A reader of SQLite waits for nobody in WAL mode, and the PRAGMA that asks for it would be refused at once.
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", "")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=DELETE")
        cursor.execute("BEGIN EXCLUSIVE")
        yield
        cursor.execute("ROLLBACK")
    # The next connection asks for WAL mode again.
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_503_within_two_seconds_when_the_database_hangs(client, monkeypatch):
    with hanging_database(monkeypatch):
        # The third finds both threads waiting still.
        for _ in range(3):
            started = time.monotonic()
            assert_health(client.get(READY), 503, "database unavailable")
            assert 1 < time.monotonic() - started < 2
    for _ in range(50):
        if client.get(READY).status_code == 200:
            break
        time.sleep(0.1)
    assert_health(client.get(READY), 200, "ok")
