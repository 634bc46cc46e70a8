"""What a load balancer asks: design section 3.10, requirement 28."""

from __future__ import annotations

import time

import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse

from tests.factories import PortalConfigFactory

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


@pytest.mark.django_db(transaction=True)
def test_503_within_two_seconds_when_the_database_hangs(client, settings):
    if connection.vendor == "sqlite":
        # Nothing can make a reader of SQLite in WAL mode wait but leaving that mode.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=DELETE")
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.execute("PRAGMA locking_mode=EXCLUSIVE")
                    PortalConfigFactory()
                else:
                    cursor.execute("LOCK TABLE django_migrations")
            started = time.monotonic()
            answers = [client.get(READY) for _ in range(3)]
            assert_health(answers[0], 503, "database unavailable")
            # The third finds both threads waiting still.
            assert time.monotonic() - started < 3 * 2
            transaction.set_rollback(True)
    finally:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA locking_mode=NORMAL")
                cursor.execute("PRAGMA journal_mode=WAL")
    for _ in range(50):
        if client.get(READY).status_code == 200:
            break
        time.sleep(0.1)
    assert_health(client.get(READY), 200, "ok")
