"""The reference of the signals says what is sent."""

from __future__ import annotations

import logging

import pytest

from portal import signals
from portal.models import Actor, PortalEvent, PortalSession
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


def test_it_has_the_attributes_of_the_event() -> None:
    rows = table(SECTIONS["The event"])
    assert [code_spans(row[0])[0] for row in rows] == list(FIELDS)
    assert code_spans(rows[1][1]) == PortalEvent.ActorKind.values
