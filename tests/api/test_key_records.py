"""What stays of an act on a key: its event and signal, no secret anywhere, and what it costs (decision 18, row 28)."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.db.models.signals import pre_save
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from portal import clock, signals, tokens
from portal.models import PortalEvent
from portal.signals import BY_KIND
from tests.envelopes import assert_answer, assert_refused
from tests.factories import issue_root_key

pytestmark = pytest.mark.django_db

#: Of the session with its portal, and of the portal's policy.
LOOKUPS = 2
#: Savepoint, event, release.
RECORD = 3


@pytest.fixture
def root_key_of_all(db):
    return issue_root_key(granted=["*"]).secret


@pytest.fixture
def create(api, store, token):
    """Return ``create(name)``, which makes a key and returns the answer's data."""
    return lambda name="Laptop": assert_answer(api("createKey", {"name": name}, token=token))["data"]


def live(api, token, create):
    """Make a key, change it, give it a new secret and revoke it; return its id and the secrets."""
    made = create()
    key_id = made["keyId"]
    assert_answer(api("updateKey", {"keyId": key_id, "name": " Desk ", "enabled": True}, token=token))
    rotated = assert_answer(api("rerollKey", {"keyId": key_id, "expiration": 60_000}, token=token))["data"]
    assert_answer(api("deleteKey", {"keyId": key_id}, token=token))
    return key_id, [made["key"], rotated["key"]]


def test_row_45_each_act_is_an_event(api, config, token, create):
    now = clock.now()
    with clock.using(lambda: now):
        key_id, _ = live(api, token, create)
    events = PortalEvent.objects.filter(kind__startswith="key.").order_by("id")
    session = PortalEvent.objects.get(kind="session.exchanged").session_id
    for event in events:
        assert (event.actor_kind, event.actor_id, event.external_id) == ("end_user", "user_123", "user_123")
        assert (event.portal_id, event.session_id, event.address) == (config.public_id, session, "127.0.0.1")
        assert event.created_at == now
    ends = clock.to_milliseconds(now + timedelta(minutes=1))
    assert [(event.kind, event.detail) for event in events] == [
        ("key.created", {"key_id": key_id, "name": "Laptop"}),
        ("key.changed", {"key_id": key_id, "name": "Desk", "fields": ["enabled", "name"]}),
        ("key.rotated", {"key_id": key_id, "name": "Desk", "old_secret_ends": ends}),
        ("key.revoked", {"key_id": key_id, "name": "Desk"}),
    ]


def test_a_rotation_that_ends_the_old_secret_at_once_says_so(api, token, create):
    now = clock.now()
    with clock.using(lambda: now):
        assert_answer(api("rerollKey", {"keyId": create()["keyId"], "expiration": 0}, token=token))
    event = PortalEvent.objects.get(kind="key.rotated")
    assert event.detail["old_secret_ends"] == clock.to_milliseconds(now)


def test_what_is_refused_is_no_event(api, token, create):
    create()
    before = PortalEvent.objects.count()
    assert_refused(api("createKey", {"name": "Laptop"}, token=token), 409, "portal/keys/name_taken")
    assert_refused(api("deleteKey", {"keyId": "key_1"}, token=token), 404, "unkey/data/key_not_found")
    assert_answer(api("listKeys", token=token))
    assert PortalEvent.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_each_event_has_its_signal_once_it_is_committed(api, token, create):
    heard = []

    def receive(sender, event, signal, **kwargs):
        assert not connection.in_atomic_block
        assert PortalEvent.objects.get(pk=event.pk).kind == event.kind
        heard.append(signal)

    for signal in BY_KIND.values():
        signal.connect(receive)
    try:
        live(api, token, create)
    finally:
        for signal in BY_KIND.values():
            signal.disconnect(receive)
    assert heard == [signals.key_created, signals.key_changed, signals.key_rotated, signals.key_revoked]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_written_is_503_and_nobody_hears_of_it(api, token, create):
    heard = []

    def hear(sender, **kwargs):
        heard.append(sender)

    def refuse(sender, **kwargs):
        raise IntegrityError("CHECK constraint failed")

    signals.key_created.connect(hear)
    pre_save.connect(refuse, sender=PortalEvent)
    try:
        answer = api("createKey", {"name": "Laptop"}, token=token)
    finally:
        pre_save.disconnect(refuse, sender=PortalEvent)
        signals.key_created.disconnect(hear)
    assert_refused(answer, 503, "unkey/application/service_unavailable")
    assert heard == []
    assert b"acme_live" not in answer.content


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("backend", ["keystore.memory.MemoryKeyStore", "contrib.keys.store.DatabaseKeyStore"])
def test_row_28_a_secret_is_in_its_one_answer_and_nowhere_else(api, store, token, create, caplog, settings, backend):
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": {"BACKEND": f"portal.{backend}"}}
    for logger in ("", "django", "portal"):
        caplog.set_level(logging.DEBUG, logger)
    connection.force_debug_cursor = True
    try:
        made = create()
        secret, key_id = made["key"], made["keyId"]
        answers = [
            api("listKeys", token=token),
            api("createKey", {"name": "Laptop"}, token=token),
            api("createKey", {"name": "Desk", secret: 1}, token=token),
            api("updateKey", {"keyId": key_id, "enabled": True}, token=token),
            api("listKeys", {"cursor": secret}, token=token),
            api("listKeys", token=secret),
            api("rerollKey", {"keyId": key_id, "expiration": 0}, token=token, **{"Idempotency-Key": "once"}),
        ]
        rotated = assert_answer(answers.pop())["data"]["key"]
        answers += [
            api("rerollKey", {"keyId": key_id, "expiration": 0}, token=token, **{"Idempotency-Key": "once"}),
            api("deleteKey", {"keyId": key_id}, token=token),
        ]
    finally:
        connection.force_debug_cursor = False
    assert [answer.status_code for answer in answers] == [200, 409, 400, 200, 400, 401, 409, 200]
    texts = [str(vars(record)) for record in caplog.records]
    # The statements are among the lines, so the search would find what they hold.
    assert any(key_id in text and "INSERT" in text for text in texts)
    texts += [repr(event.fields()) for event in PortalEvent.objects.all()]
    # Its own words come back to who sends a secret as the name of a member.
    texts += [f"{answer.content.decode()} {answer.headers}" for answer in answers if answer is not answers[2]]
    for part in (secret[-49:], secret[-20:], rotated[-49:], rotated[-20:]):
        assert [text for text in texts if part in text] == []


@pytest.mark.parametrize(
    ("place", "operation"),
    [("portal.api.views.base.HttpResponse", "createKey"), ("portal.contrib.keys.verify._judge", "verifyKey")],
)
def test_row_28_a_fault_tells_its_report_no_secret(
    api, client, config, token, root_key_of_all, caplog, monkeypatch, settings, place, operation
):
    """Django mails such a report to ADMINS."""
    settings.PORTAL = {**settings.PORTAL, "KEY_STORE": None}
    made = []
    monkeypatch.setattr(
        tokens, "mint_api_key", lambda prefix, mint=tokens.mint_api_key: made.append(mint(prefix)) or made[-1]
    )
    if operation == "verifyKey":
        assert_answer(api("createKey", {"name": "Laptop"}, token=token))

    @sensitive_variables("args", "options")
    def fail(*args, **options):
        raise ZeroDivisionError

    with monkeypatch.context() as broken, suppress(ZeroDivisionError):
        # The answer that tells of the fault is made with the same class.
        broken.setattr(place, fail)
        if operation == "createKey":
            api(operation, {"name": "Laptop"}, token=token)
        else:
            headers = {"Authorization": f"Bearer {root_key_of_all}"}
            client.post("/v2/keys.verifyKey", {"key": made[0]}, content_type="application/json", headers=headers)
    (secret,) = made
    faults = [record.exc_info for record in caplog.records if record.exc_info]
    assert faults
    for fault in faults:
        report = ExceptionReporter(None, *fault)
        assert "ZeroDivisionError" in report.get_traceback_text()
        assert secret not in report.get_traceback_html() + report.get_traceback_text()


def test_row_31_no_cache_keeps_an_answer(api, token, create):
    key_id = create()["keyId"]
    for operation, body in (
        ("listKeys", {}),
        ("createKey", {"name": "Desk"}),
        ("rerollKey", {"keyId": key_id, "expiration": 0}),
        ("updateKey", {"keyId": key_id, "enabled": True}),
        ("deleteKey", {"keyId": key_id}),
    ):
        # The second of most of them is a refusal.
        for answer in (api(operation, body, token=token), api(operation, body, token=token)):
            assert answer["Cache-Control"] == "no-store, private"
            assert answer["Pragma"] == "no-cache"


def test_what_each_costs_beside_the_store(api, token, create, django_assert_num_queries):
    key_id = create()["keyId"]
    for operation, body, count in (
        ("listKeys", {}, LOOKUPS),
        ("listKeys", {"limit": 1, "nonsense": 1}, 1),
        ("createKey", {"name": "Desk"}, LOOKUPS + RECORD),
        ("createKey", {"name": ""}, LOOKUPS),
        ("updateKey", {"keyId": key_id, "enabled": True}, LOOKUPS + RECORD),
        ("rerollKey", {"keyId": key_id, "expiration": 0}, LOOKUPS + RECORD),
        ("deleteKey", {"keyId": key_id}, LOOKUPS + RECORD),
    ):
        with django_assert_num_queries(count):
            api(operation, body, token=token)
