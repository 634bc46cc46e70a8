"""A mint and an exchange with their events: one statement or two, and the same to whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.models.signals import post_save, pre_save

from portal import clock, signals
from portal.errors import PortalSessionNotFound
from portal.models import Actor, PortalEvent, PortalSession
from portal.models.event import EventNotWritten
from tests.factories import PortalConfigFactory, issue_root_key, mint

pytestmark = pytest.mark.django_db(transaction=True)

OPTIONS = {
    "display_name": "Ada",
    "preview": True,
    "return_url": "https://app.example.com/back",
    "next": "keys",
    "locale": "de",
    "ttl": timedelta(hours=1),
    "metadata": {"plan": ["pro", None, 1.5]},
}
ADDRESS = "192.0.2.7"


@pytest.fixture(params=[None, pre_save, post_save], ids=["nobody listens", "pre_save", "post_save"])
def saved(request) -> Iterator[list[PortalEvent]]:
    """Have a host listen to the saving of events, or not, and return what it heard of."""
    events: list[PortalEvent] = []

    def receive(sender: Any, instance: PortalEvent, **options: Any) -> None:
        events.append(instance)

    if request.param is not None:
        request.param.connect(receive, sender=PortalEvent)
    yield events
    if request.param is not None:
        request.param.disconnect(receive, sender=PortalEvent)
        assert events


@pytest.fixture
def heard() -> Iterator[list[PortalEvent]]:
    events: list[PortalEvent] = []

    def receive(sender: Any, event: PortalEvent, **options: Any) -> None:
        events.append(event)

    for signal in (signals.session_created, signals.session_exchanged):
        signal.connect(receive)
    yield events
    for signal in (signals.session_created, signals.session_exchanged):
        signal.disconnect(receive)


def columns(row: Any) -> dict[str, Any]:
    """Return the values of a row, in forms that compare."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}


@contextmanager
def no_events() -> Iterator[None]:
    """Have the database refuse every event, by a constraint."""
    if connection.vendor == "postgresql":
        make = "ALTER TABLE portal_portalevent ADD CONSTRAINT no_events CHECK (false) NOT VALID"
        undo = "ALTER TABLE portal_portalevent DROP CONSTRAINT no_events"
    else:
        make = "CREATE TRIGGER no_events BEFORE INSERT ON portal_portalevent BEGIN SELECT RAISE(ABORT, 'no'); END"
        undo = "DROP TRIGGER no_events"
    with connection.cursor() as cursor:
        cursor.execute(make)
    yield
    with connection.cursor() as cursor:
        cursor.execute(undo)


@pytest.mark.parametrize("options", [{}, OPTIONS], ids=["plain", "options"])
@pytest.mark.parametrize("by_root_key", [False, True])
def test_a_minted_row_is_the_one_that_is_stored(config, saved, options, by_root_key):
    key = issue_root_key().row
    session = mint(config, minted_by=key.pk if by_root_key else None, **options).row
    stored = PortalSession.objects.get()
    assert columns(session) == columns(stored)
    assert {name: getattr(stored, name) for name in options} == {**options, **({"next": "keys/"} if options else {})}
    assert (session.config, session.minted_by) == (config, key if by_root_key else None)
    assert not session._state.adding
    session.locale = "fr"
    session.save()
    assert PortalSession.objects.get().locale == "fr"


def test_the_event_of_a_mint_says_what_was_minted(config, saved, heard):
    session = mint(config, granted=["keys:read"], actor=Actor("operator", "ada", ADDRESS), **OPTIONS).row
    stored = PortalEvent.objects.get(kind="session.created")
    assert stored.fields() == {
        "kind": "session.created",
        "actor_kind": "operator",
        "actor_id": "ada",
        "address": ADDRESS,
        "portal_id": config.public_id,
        "session_id": session.public_id,
        "external_id": "user_123",
        "detail": {"capabilities": ["keys:read"]},
        "created_at": session.created_at,
    }
    (event,) = heard
    assert (columns(event), event.metadata) == (columns(stored), OPTIONS["metadata"])
    assert not event._state.adding


def test_the_event_of_an_exchange_says_what_was_exchanged(config, saved, heard):
    session, code = mint(config, **OPTIONS)
    row = PortalSession.objects.exchange(code, address=ADDRESS).row
    assert row.expires_at == row.exchanged_at + timedelta(hours=1)
    stored = PortalEvent.objects.get(kind="session.exchanged")
    assert stored.fields() == {
        "kind": "session.exchanged",
        "actor_kind": "end_user",
        "actor_id": "user_123",
        "address": ADDRESS,
        "portal_id": config.public_id,
        "session_id": session.public_id,
        "external_id": "user_123",
        "detail": {},
        "created_at": row.exchanged_at,
    }
    event = heard[-1]
    assert (columns(event), event.metadata) == (columns(stored), OPTIONS["metadata"])


def test_what_is_refused_leaves_no_event(config, saved, heard):
    code = mint(config).secret
    PortalSession.objects.exchange(code)
    count = PortalEvent.objects.count()
    del heard[:]
    for spent in (code, "pst_unknown"):
        with pytest.raises(PortalSessionNotFound):
            PortalSession.objects.exchange(spent)
    assert (PortalEvent.objects.count(), heard) == (count, [])


@pytest.mark.parametrize("within", [False, True], ids=["alone", "in the host's transaction"])
def test_without_its_event_nothing_happens_and_the_host_may_go_on(config, heard, within):
    code = mint(config).secret
    before = list(PortalSession.objects.values())
    del heard[:]
    with no_events():
        if within:
            with transaction.atomic():
                for act in (lambda: mint(config), lambda: PortalSession.objects.redeem(code)):
                    with pytest.raises(EventNotWritten):
                        act()
                PortalConfigFactory.build(slug="beside").save_base(raw=True)
        else:
            for act in (lambda: mint(config), lambda: PortalSession.objects.redeem(code)):
                with pytest.raises(EventNotWritten):
                    act()
    assert list(PortalSession.objects.values()) == before
    assert heard == []
    assert type(config).objects.filter(slug="beside").exists() is within


def test_a_session_that_the_database_refuses_is_not_blamed_on_its_event(config):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite takes texts of any length.")
    with pytest.raises(DataError):
        mint(config, "x" * 300)
    assert not PortalSession.objects.exists()


def test_it_is_heard_of_at_the_hosts_commit_and_not_before(config, heard):
    with transaction.atomic():
        code = mint(config).secret
        PortalSession.objects.redeem(code)
        assert heard == []
    assert [event.kind for event in heard] == ["session.created", "session.exchanged"]


def test_what_a_part_of_the_hosts_transaction_takes_back_is_not_heard_of(config, heard):
    with transaction.atomic():
        with transaction.atomic():
            mint(config)
            transaction.set_rollback(True)
        kept = mint(config).row
    assert [event.session_id for event in heard] == [kept.public_id]
    assert PortalSession.objects.get() == kept


@pytest.fixture
def by_hand() -> Iterator[None]:
    transaction.set_autocommit(False)
    yield
    if not transaction.get_autocommit():
        transaction.rollback()
        transaction.set_autocommit(True)


def test_a_host_that_commits_by_hand_is_told_afterwards(config, heard, by_hand):
    session = mint(config).row
    transaction.commit()
    assert heard == []
    # Here Django runs what waits for a commit.
    transaction.set_autocommit(True)
    assert [event.session_id for event in heard] == [session.public_id]


def test_a_host_that_commits_by_hand_may_roll_back(config, heard, by_hand):
    if connection.vendor == "sqlite":
        pytest.skip("What Django makes as a savepoint is a transaction there, and ends with it.")
    mint(config)
    transaction.rollback()
    assert heard == []
    assert not PortalSession.objects.exists()


def test_only_what_ends_no_credential_may_go_unheard(config):
    heard = {kind for kind in PortalEvent.Kind.values if PortalEvent.is_heard(kind)}
    assert "session.created" not in heard
    assert {"session.revoked", "session.signed_out", "root_key.disabled", "portal.changed"} <= heard


def test_the_moment_is_the_clocks(config):
    moment = clock.from_milliseconds(1_800_000_000_123)
    with clock.using(lambda: moment):
        session = mint(config).row
    assert (session.created_at, PortalEvent.objects.get(kind="session.created").created_at) == (moment, moment)


@pytest.fixture
def bound_by_the_server() -> Iterator[None]:
    """Have PostgreSQL deduce the type of each parameter (option server_side_binding)."""
    if connection.vendor != "postgresql":
        pytest.skip("An option of PostgreSQL's.")
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    options["server_side_binding"] = True
    yield
    connection.close()
    del options["server_side_binding"]


def test_parameters_that_the_server_binds(config, bound_by_the_server):
    code = mint(config, minted_by=issue_root_key().row.pk, **OPTIONS).secret
    assert PortalSession.objects.exchange(code, address=ADDRESS).row == PortalSession.objects.get()
    assert PortalSession.objects.redeem(mint(config).secret).row.external_id == "user_123"
