"""The reference of the signals says what is sent."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from portal import clock, signals
from portal.authenticate import authenticate_session
from portal.contrib.keys.admin import acts
from portal.contrib.keys.models import ApiKey
from portal.keystore.actions import SessionKeys
from portal.models import Actor, PortalConfig, PortalEvent, PortalSession
from portal.models.event import FIELDS
from tests.docs.follower import Follower
from tests.docs.markdown import code_spans, sections, table
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

PAGE = "reference/signals.md"
SECTIONS = sections(PAGE)


def test_the_example(follower: Follower) -> None:
    follower.follow(PAGE)
    assert follower.left == []


def test_it_has_every_signal_and_its_kind() -> None:
    rows = {code_spans(row[0])[0]: code_spans(row[1])[0] for row in table(SECTIONS["The signals"])}
    assert {kind: getattr(signals, name) for name, kind in rows.items()} == signals.BY_KIND


@pytest.mark.django_db(transaction=True)
def test_it_has_what_each_event_tells(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "portal.audit")
    operator = Actor("operator", "ada")
    config = PortalConfigFactory()
    key, _ = issue_root_key()
    code = mint(config).secret
    PortalSession.objects.exchange(code)
    PortalSession.objects.note_replay(code, None)
    session = sign_in(config).row
    session.revoke(session.end_user(None), reason="signed_out")
    PortalSession.objects.revoke_for(config, "user_123", operator)
    manage_keys(config, operator)
    key.rotate()
    key.disable()
    key.enable()
    config.save(update_fields=["display_name"])
    config.delete()

    listed = {code_spans(row[1])[0]: set(code_spans(row[3])) for row in table(SECTIONS["The signals"])}
    told: dict[str, set[str]] = {}
    for record in caplog.records:
        told.setdefault(record.audit["kind"], set()).update(record.audit["detail"])
        assert set(record.audit) == set(FIELDS)
    assert told == listed


def manage_keys(config: PortalConfig, operator: Actor) -> None:
    """Do everything with keys that a user and an operator can do."""
    session = authenticate_session(sign_in(config).secret)
    assert session is not None
    keys = SessionKeys(session, config)
    end = clock.now() + timedelta(days=1)
    made = [keys.create(name, expires_at=end, request_id=name).key.id for name in ("Laptop", "Phone")]
    keys.update(made[0], {"enabled": True})
    keys.reroll(made[0], grace=timedelta(hours=1), request_id="rotate")
    keys.end_old_secret(made[0])
    keys.revoke(made[0])
    row = ApiKey.objects.get(public_id=made[1])
    assert acts.lock(row, operator)
    assert acts.unlock(row, operator)
    assert acts.revoke(row, operator)


def test_it_has_the_attributes_of_the_event() -> None:
    rows = table(SECTIONS["The event"])
    assert [code_spans(row[0])[0] for row in rows] == [*FIELDS, "metadata"]
    assert code_spans(rows[1][1]) == PortalEvent.ActorKind.values
