"""The fixed statements give the ORM's answers, on every state and on both databases (design decision 20)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.views.debug import ExceptionReporter

from portal import authenticate, clock, tokens
from portal.authenticate import authenticate_root_key, authenticate_session
from portal.contrib.keys.verify import verify
from portal.models import PortalSession, RootKey
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

pytestmark = pytest.mark.django_db


def by_orm(token):
    """The same question, asked the slow way."""
    session = (
        PortalSession.objects.live()
        .filter(token_hash=tokens.digest(token), config__enabled=True)
        .select_related("config")
        .first()
    )
    if session is None:
        return None
    return {
        "pk": session.pk,
        "id": session.public_id,
        "external_id": session.external_id,
        "display_name": session.display_name,
        "permissions": tuple(session.permissions),
        "capabilities": frozenset(session.capabilities.split()),
        "preview": session.preview,
        "keyspace_id": session.keyspace_id,
        "return_url": session.return_url,
        "locale": session.locale,
        "metadata_json": json.dumps(session.metadata),
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "portal_pk": session.config.pk,
        "portal_id": session.config.public_id,
        "portal_slug": session.config.slug,
        "portal_display_name": session.config.display_name,
        "portal_allowed_origins": tuple(session.config.allowed_origins),
    }


def fast(token):
    found = authenticate_session(token)
    return found and {name: getattr(found, name) for name in type(found).__slots__}


def test_sessions_in_every_state():
    config = PortalConfigFactory(allowed_origins=["https://app.example.com"])
    closed = PortalConfigFactory()
    odd = "😀 <b> \u202e 'quote\" \\ %s"
    session, token = sign_in(config, odd, display_name=odd, preview=True, return_url="https://app.example.com/x")
    PortalSession.objects.filter(pk=session.pk).update(metadata={"plan": [1, odd]})
    revoked = sign_in(config)
    revoked.row.revoke()
    in_closed = sign_in(closed)
    type(closed).objects.filter(pk=closed.pk).update(enabled=False)
    cases = [token, revoked.secret, in_closed.secret, mint(config).secret, "pat_" + "0" * 43, "", "x"]
    alive = []
    for moment in (clock.now(), session.expires_at - timedelta(milliseconds=1), session.expires_at):
        with clock.using(lambda moment=moment: moment):
            for case in cases:
                assert fast(case) == by_orm(case)
                alive.append(fast(case) is not None)
    assert alive == [True, *[False] * 6, True, *[False] * 6, *[False] * 7]


def test_a_row_that_has_changed_is_read_anew():
    """The last rows are kept as Python has read them; which one it is, the database says each time."""
    session, token = sign_in(PortalConfigFactory(display_name="Before"))
    root_key, key = issue_root_key("before")
    assert fast(token) == by_orm(token)
    assert authenticate_root_key(key).name == "before"
    PortalSession.objects.filter(pk=session.pk).update(metadata={"plan": "new"})
    type(session.config).objects.update(display_name="After")
    RootKey.objects.filter(pk=root_key.pk).update(name="after")
    assert fast(token) == by_orm(token)
    assert fast(token)["portal_display_name"] == "After"
    assert authenticate_root_key(key).name == "after"


def test_a_portal_that_a_bulk_update_pointed_elsewhere_has_no_session():
    session, token = sign_in()
    type(session.config).objects.update(keyspace_id="ks_elsewhere")
    assert authenticate_session(token) is None


def test_times_are_aware_utc():
    found = authenticate_session(sign_in().secret)
    assert found.expires_at.utcoffset() == timedelta(0)
    assert found.expires_at == found.row.expires_at
    assert found.row.config.slug == found.portal_slug


def test_a_connection_can_have_a_time_zone(monkeypatch):
    """DATABASES may name one, in which SQLite then stores times."""
    if connection.vendor != "sqlite":
        pytest.skip("Others give aware times.")
    # The object itself: what it has worked out it keeps.
    actual = connections["default"]
    monkeypatch.setitem(actual.settings_dict, "TIME_ZONE", "Asia/Kathmandu")
    for name in ("timezone", "timezone_name"):
        actual.__dict__.pop(name, None)
    try:
        found = authenticate_session(sign_in().secret)
        assert found.expires_at == found.row.expires_at
        assert timedelta(hours=23) < found.expires_at - clock.now() <= timedelta(hours=24)
        assert found.expires_at.utcoffset() == timedelta(0)
    finally:
        for name in ("timezone", "timezone_name"):
            actual.__dict__.pop(name, None)


def test_a_row_that_breaks_the_rules_is_nobody():
    """Defence in depth: were there a token without an expiry, it would not be a session for ever."""
    session, token = sign_in()
    connection.check_constraints()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("ALTER TABLE portal_portalsession DROP CONSTRAINT portal_session_token_expires")
        PortalSession.objects.filter(pk=session.pk).update(expires_at=None)
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert authenticate_session(token) is None


def test_a_previous_secret_without_an_end_opens_nothing():
    """Defence in depth: it would open for ever."""
    row, first = issue_root_key()
    row.rotate(timedelta(hours=1))
    assert authenticate_root_key(first)
    RootKey.objects.update(previous_ends_at=None)
    assert authenticate_root_key(first) is None


def test_root_keys_in_every_state():
    start = clock.now()
    ends = start + timedelta(hours=1)
    plain, expiring, disabled, rotated = (
        issue_root_key("plain"),
        issue_root_key("expiring", expires_at=ends),
        issue_root_key("disabled"),
        issue_root_key("rotated"),
    )
    disabled.row.disable()
    new = rotated.row.rotate(timedelta(hours=1))
    grace_ends = RootKey.objects.get(name="rotated").previous_ends_at
    found = authenticate_root_key(plain.secret)
    assert (found.pk, found.id, found.name, found.enabled) == (plain.row.pk, plain.row.public_id, "plain", True)
    assert found.permissions == tuple(plain.row.permissions)
    assert authenticate_root_key(disabled.secret).enabled is False
    assert authenticate_root_key(new.secret).id == rotated.row.public_id
    for moment, expiring_works in ((ends - timedelta(milliseconds=1), True), (ends, False)):
        with clock.using(lambda moment=moment: moment):
            assert (authenticate_root_key(expiring.secret) is not None) is expiring_works
    for moment, old_works in ((grace_ends - timedelta(milliseconds=1), True), (grace_ends, False)):
        with clock.using(lambda moment=moment: moment):
            assert (authenticate_root_key(rotated.secret) is not None) is old_works
            assert authenticate_root_key(new.secret) is not None
    for key in ("", "x", "prk_" + "0" * 43, "prk_" + "0" * 42, mint().secret):
        assert authenticate_root_key(key) is None


@pytest.mark.parametrize(("expires", "old_ends"), [(1, 1), (3, 2)], ids=["before the grace period", "after it"])
def test_an_old_secret_of_a_root_key_ends_with_whichever_comes_first(expires, old_ends):
    now = clock.now()
    row, old = issue_root_key(expires_at=now + timedelta(hours=expires))
    with clock.using(lambda: now):
        new = row.rotate(timedelta(hours=2)).secret
    for secret, hours in ((old, old_ends), (new, expires)):
        ends = now + timedelta(hours=hours)
        for moment, works in ((ends - timedelta(milliseconds=1), True), (ends, False)):
            with clock.using(lambda moment=moment: moment):
                assert (authenticate_root_key(secret) is not None) is works


def test_what_cannot_be_a_credential_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert authenticate_session("pat_short") is None
        assert authenticate_root_key("Bearer") is None


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("kind", ["session", "root key", "API key"])
def test_row_28_a_look_up_that_fails_reports_no_secret(database_away, settings, config, kind, seconds):
    settings.PORTAL = {**settings.PORTAL, "SESSION_CACHE_SECONDS": seconds}
    ask, secret = {
        "session": (authenticate_session, sign_in(config).secret),
        "root key": (authenticate_root_key, issue_root_key().secret),
        "API key": (verify, tokens.mint_api_key("sk")),
    }[kind]
    with database_away(OperationalError("gone")), pytest.raises(OperationalError) as caught:
        ask(secret)
    # From the frame below this test's own, which knows the secret.
    report = ExceptionReporter(None, caught.type, caught.value, caught.tb.tb_next)
    assert "in look_up" in report.get_traceback_text()
    assert secret not in report.get_traceback_html() + report.get_traceback_text()


def fill(row: Any, *unique: str) -> None:
    """Add a thousand like ``row``: of a table that is nearly empty, every index costs PostgreSQL the same."""
    model = type(row)
    same = {
        field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields if not field.primary_key
    }
    rows = []
    for number in range(1000):
        own = {
            name: f"{name[:8]}{number}" if name == "public_id" else tokens.digest(f"{name}{number}") for name in unique
        }
        rows.append(model(**{**same, **own}))
    model.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")


def test_the_lookups_use_the_hash_index():
    """Row 8: by hash, through an index, whatever the table's size."""
    fill(sign_in().row, "public_id", "code_hash", "token_hash")
    fill(issue_root_key().row, "public_id", "key_hash", "previous_key_hash")
    by_token, by_key = authenticate._session_by_token("default"), authenticate._root_key_by_secret("default")
    value = connection.Database.Binary(b"0" * 32)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        for statement, index in ((by_token, "portal_session_token"), (by_key, "portal_root_key_hash")):
            prefix = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
            cursor.execute(prefix + statement, {"digest": value})
            plan = " ".join(str(row) for row in cursor.fetchall())
            # SQLite names a constraint's index by number.
            assert index in plan if connection.vendor == "postgresql" else "USING INDEX" in plan
            assert "SCAN s" not in plan
