"""What a host hears of: signals and the logger ``portal.audit``, on commit (decision 18, requirement 45)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.signals import pre_save

from portal import clock, signals
from portal.authenticate import authenticate_session
from portal.contrib.keys.admin import acts
from portal.contrib.keys.models import ApiKey
from portal.keystore.actions import SessionKeys
from portal.models import Actor, PortalConfig, PortalEvent, PortalSession, RootKey
from tests.envelopes import assert_refused
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

OPERATOR = Actor("operator", "ada", "192.0.2.7")


@pytest.fixture
def heard():
    """Return the list of (name of the signal, event)."""
    events = []
    names = {signal: kind for kind, signal in signals.BY_KIND.items()}

    def receive(sender, event, signal, **kwargs):
        assert sender is PortalEvent
        events.append((names[signal], event))

    for signal in signals.BY_KIND.values():
        signal.connect(receive)
    yield events
    for signal in signals.BY_KIND.values():
        signal.disconnect(receive)


def test_every_kind_of_event_has_its_signal():
    assert set(signals.BY_KIND) == set(PortalEvent.Kind.values)
    named = {name.replace("_", ".", 1) for name in signals.__all__ if name != "BY_KIND"}
    assert named == {kind.replace("root_key.", "root.key_") for kind in signals.BY_KIND}
    for kind, signal in signals.BY_KIND.items():
        assert getattr(signals, kind.replace(".", "_")) is signal


def test_row_45_each_act_is_heard_of_once_and_in_order(heard):
    config = PortalConfigFactory()
    key, _ = issue_root_key(actor=OPERATOR)
    code = mint(config).secret
    session = PortalSession.objects.exchange(code).row
    PortalSession.objects.note_replay(code, "192.0.2.9")
    session.revoke(session.end_user("192.0.2.8"), reason="signed_out")
    sign_in(config)
    key.rotate(actor=OPERATOR)
    key.disable(actor=OPERATOR)
    key.enable(actor=OPERATOR)
    config.enabled = False
    config.save(actor=OPERATOR, update_fields=["enabled"])
    config.delete(actor=OPERATOR)
    assert [name for name, _ in heard] == [
        "portal.created",
        "root_key.created",
        "session.created",
        "session.exchanged",
        "session.replayed",
        "session.signed_out",
        "session.created",
        "session.exchanged",
        "root_key.rotated",
        "root_key.disabled",
        "root_key.changed",
        "session.revoked",
        "portal.changed",
        "portal.deleted",
    ]
    events = dict(heard)
    for _, event in heard:
        assert PortalEvent.objects.get(pk=event.pk).fields() == event.fields()
    assert events["portal.changed"].detail == {"slug": config.slug, "fields": ["enabled"]}
    assert (events["session.revoked"].actor_id, events["session.revoked"].detail["count"]) == ("ada", 1)
    assert (events["session.signed_out"].session_id, events["session.signed_out"].address) == (
        session.public_id,
        "192.0.2.8",
    )


def test_row_45_each_act_on_a_key_is_heard_of_once_and_in_order(heard, config):
    access = sign_in(config)
    session = authenticate_session(access.secret)
    keys = SessionKeys(session, config, address="192.0.2.8")
    del heard[:]
    key, _ = keys.create("Laptop", expires_at=clock.now() + timedelta(days=1), request_id="create")
    keys.update(key.id, {"name": "Desk", "enabled": True})
    keys.reroll(key.id, grace=timedelta(hours=1), request_id="reroll")
    keys.end_old_secret(key.id)
    row = ApiKey.objects.get()
    # A second lock and a second unlock change nothing.
    assert [acts.lock(row, OPERATOR), acts.lock(row, OPERATOR)] == [True, False]
    assert [acts.unlock(row, OPERATOR), acts.unlock(row, OPERATOR)] == [True, False]
    keys.revoke(key.id)
    assert [name for name, _ in heard] == [
        "key.created",
        "key.changed",
        "key.rotated",
        "key.secret_ended",
        "key.locked",
        "key.unlocked",
        "key.revoked",
    ]
    for name, event in heard:
        assert PortalEvent.objects.get(pk=event.pk).fields() == event.fields()
        assert event.detail["key_id"] == key.id
        assert event.external_id == "user_123"
        assert event.portal_id == config.public_id
        by_operator = name in {"key.locked", "key.unlocked"}
        assert (event.actor_kind, event.actor_id, event.address, event.session_id) == (
            ("operator", "ada", "192.0.2.7", "") if by_operator else ("end_user", "user_123", "192.0.2.8", session.id)
        )
    assert dict(heard)["key.changed"].detail["fields"] == ["enabled", "name"]


def test_nobody_hears_of_a_key_whose_transaction_was_rolled_back(heard, config):
    session = authenticate_session(sign_in(config).secret)
    keys = SessionKeys(session, config)
    del heard[:]
    with transaction.atomic():
        keys.create("Laptop", expires_at=clock.now() + timedelta(days=1), request_id="create")
        transaction.set_rollback(True)
    assert heard == []
    assert not ApiKey.objects.exists()


def test_portals_deleted_in_bulk_are_heard_of_one_by_one(heard):
    slugs = {PortalConfigFactory().slug for _ in range(2)}
    PortalConfig.objects.all().delete(actor=OPERATOR)
    deleted = [event for name, event in heard if name == "portal.deleted"]
    assert {event.detail["slug"] for event in deleted} == slugs
    assert {event.actor_id for event in deleted} == {"ada"}


def test_nobody_hears_of_what_was_rolled_back(heard, caplog):
    config = PortalConfigFactory()
    del heard[:]
    caplog.clear()
    with caplog.at_level(logging.INFO, "portal.audit"), transaction.atomic():
        mint(config)
        transaction.set_rollback(True)
    assert heard == []
    assert caplog.records == []


def test_a_receiver_that_raises_disturbs_nobody(heard, api, root_key, config, caplog):
    def broken(**kwargs):
        raise RuntimeError("receiver")

    for signal in (signals.session_created, signals.session_exchanged):
        signal.connect(broken)
    try:
        body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
        code = api("createSession", body, token=root_key.secret).json()["data"]["sessionId"]
        assert api("exchangeSession", {"sessionId": code}).status_code == 200
    finally:
        for signal in (signals.session_created, signals.session_exchanged):
            signal.disconnect(broken)
    assert [name for name, _ in heard][-2:] == ["session.created", "session.exchanged"]
    assert "receiver" in caplog.text


def test_row_28_the_audit_log_has_the_same_fields_and_no_secret(caplog):
    with caplog.at_level(logging.INFO, "portal.audit"):
        config = PortalConfigFactory()
        session, token = sign_in(config)
        key = issue_root_key(actor=OPERATOR)
    lines = {line.audit["kind"]: line for line in caplog.records if line.name == "portal.audit"}
    assert set(lines) == {"portal.created", "session.created", "session.exchanged", "root_key.created"}
    for event in PortalEvent.objects.all():
        logged = lines[event.kind].audit
        assert {**logged, "created_at": datetime.fromisoformat(logged["created_at"])} == event.fields()
    assert session.public_id in lines["session.exchanged"].getMessage()
    for secret in (token, key.secret):
        assert secret not in str([vars(line) for line in lines.values()])


def test_row_45_an_event_that_cannot_be_written_takes_its_act_along(config):
    def refuse(sender, instance, **kwargs):
        raise DatabaseError

    before = PortalConfig.objects.values().get(), RootKey.objects.count(), PortalSession.objects.count()
    pre_save.connect(refuse, sender=PortalEvent)
    try:
        config.display_name = "Other"
        for act in (config.save, config.delete, issue_root_key, lambda: mint(config)):
            with pytest.raises(DatabaseError):
                act()
    finally:
        pre_save.disconnect(refuse, sender=PortalEvent)
    assert before == (PortalConfig.objects.values().get(), RootKey.objects.count(), PortalSession.objects.count())


def test_row_45_and_the_caller_is_told_to_come_back(api, config, root_key):
    def refuse(sender, **kwargs):
        raise IntegrityError("CHECK constraint failed")

    pre_save.connect(refuse, sender=PortalEvent)
    try:
        body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
        answer = api("createSession", body, token=root_key.secret)
    finally:
        pre_save.disconnect(refuse, sender=PortalEvent)
    assert_refused(answer, 503, "unkey/application/service_unavailable")
    assert answer["Retry-After"] == "2"
    assert not PortalSession.objects.exists()


def test_an_ending_is_heard_of_even_when_its_event_cannot_be_written(config, heard):
    session, _ = sign_in(config)
    table = connection.ops.quote_name(PortalEvent._meta.db_table)

    def refuse(execute, sql, params, many, context):
        if sql.startswith(f"INSERT INTO {table}"):
            raise DatabaseError("full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert session.revoke(OPERATOR)
    name, event = heard[-1]
    assert (name, event.pk, event.session_id, event.actor_id) == ("session.revoked", None, session.public_id, "ada")


def test_a_log_handler_that_raises_disturbs_nobody(config, caplog):
    class Broken(logging.Handler):
        def emit(self, record):
            raise RuntimeError("handler")

    audit, broken = logging.getLogger("portal.audit"), Broken()
    audit.addHandler(broken)
    try:
        with caplog.at_level(logging.INFO, "portal.audit"):
            session, _ = sign_in(config)
    finally:
        audit.removeHandler(broken)
    assert session.state() == PortalSession.State.ACTIVE
    assert "handler" in caplog.text


def test_row_45_one_event_is_one_line_of_the_log(config, caplog):
    with caplog.at_level(logging.INFO, "portal.audit"):
        sign_in(config, "u\n2026-01-01 root_key.disabled by operator ada\u202e")
    (line,) = [line.getMessage() for line in caplog.records if "exchanged" in line.getMessage()]
    assert "\n" not in line
    assert "\u202e" not in line
    assert "u\\n2026-01-01" in line


def test_a_portal_that_is_gone_is_not_deleted_twice(config, heard):
    again, rows = PortalConfig.objects.get(), PortalConfig.objects.filter(slug="my-portal")
    config.delete(actor=OPERATOR)
    again.delete(actor=OPERATOR)
    rows.delete(actor=OPERATOR)
    assert [name for name, _ in heard].count("portal.deleted") == 1
