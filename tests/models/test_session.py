"""PortalSession: states, verbs, constraints, purge."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from portal import clock, tokens
from portal.errors import Forbidden, KeyDisabled, PortalConfigNotFound, PortalSessionNotFound, ServiceUnavailable
from portal.models import PortalConfig, PortalEvent, PortalSession, RootKey
from portal.permissions import MINT_ANY_SESSION
from tests.factories import PortalConfigFactory, issue_root_key, mint, sign_in

pytestmark = pytest.mark.django_db

State = PortalSession.State
MILLISECOND = timedelta(milliseconds=1)


def test_states_over_time(config):
    session, code = mint(config)
    assert session.state() == State.PENDING
    assert session.state(session.code_expires_at - MILLISECOND) == State.PENDING
    assert session.state(session.code_expires_at) == State.CODE_EXPIRED
    session = PortalSession.objects.exchange(code).row
    assert session.state() == State.ACTIVE
    assert session.state(session.expires_at - MILLISECOND) == State.ACTIVE
    assert session.state(session.expires_at) == State.EXPIRED
    session.revoke()
    assert session.state() == State.REVOKED
    assert str(session) == session.public_id
    assert session.public_id.startswith("ps_")


def test_live_and_expired_agree_with_the_state(config):
    pending, active, revoked = mint(config).row, sign_in(config).row, sign_in(config).row
    revoked.revoke()
    moments = [clock.now(), pending.code_expires_at, active.expires_at]
    for moment in moments:
        with clock.using(lambda moment=moment: moment):
            rows = {row: row.state() for row in PortalSession.objects.all()}
            live = {row for row, state in rows.items() if state in {State.PENDING, State.ACTIVE}}
            over = {row for row, state in rows.items() if state in {State.EXPIRED, State.CODE_EXPIRED}}
            assert set(PortalSession.objects.live()) == live
            assert set(PortalSession.objects.expired()) - {revoked} == over


def test_times_are_whole_milliseconds_on_every_database(config):
    session = PortalSession.objects.get(pk=sign_in(config).row.pk)
    for moment in (session.created_at, session.code_expires_at, session.exchanged_at, session.expires_at):
        assert moment.microsecond % 1000 == 0
        assert moment.utcoffset() == timedelta(0)
        assert clock.to_milliseconds(moment) == round(moment.timestamp() * 1000)


def test_allows(config):
    session = mint(config, granted=["api.*.create_key"]).row
    assert session.allows("keys:create")
    assert not session.allows("keys:read")


def test_an_issued_secret_is_masked_in_its_repr(config):
    issued = mint(config)
    session, code = issued
    assert session == issued.row
    assert code == issued.secret
    assert code not in repr(issued)
    assert code[:8] in repr(issued)


@pytest.mark.parametrize(
    "change",
    [
        {"token_hash": b"0" * 32},
        {"expires_at": clock.now()},
        {"exchanged_at": clock.now()},
        {"token_hash": b"0" * 32, "exchanged_at": clock.now()},
    ],
)
def test_the_database_refuses_a_token_without_its_expiry(config, change):
    session = mint(config).row
    with pytest.raises(IntegrityError), transaction.atomic():
        PortalSession.objects.filter(pk=session.pk).update(**change)


def test_the_database_refuses_a_hash_twice(config):
    first, second = mint(config).row, mint(config).row
    with pytest.raises(IntegrityError), transaction.atomic():
        PortalSession.objects.filter(pk=second.pk).update(code_hash=first.code_hash)


def test_row_9_hashes_have_one_index_each(config):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, PortalSession._meta.db_table)
    for column in ("code_hash", "token_hash", "public_id"):
        assert (
            len(
                [
                    c
                    for c in constraints.values()
                    if (c["columns"] == [column] and c["index"]) or (c["unique"] and c["columns"] == [column])
                ]
            )
            == 1
        )


def test_minting_for_a_stale_portal_answers_what_now_holds(config, root_key):
    stale = PortalConfig.objects.get()
    config.enabled = False
    config.save()
    with pytest.raises(Forbidden):
        mint(stale)
    config.enabled, config.keyspace_id = True, "ks_2"
    config.save()
    with pytest.raises(ServiceUnavailable):
        mint(stale)
    config.keyspace_id = "ks_1"
    config.save()
    root_key.row.disable()
    with pytest.raises(KeyDisabled):
        mint(stale, minted_by=root_key.row.pk)
    config.delete()
    with pytest.raises(PortalConfigNotFound):
        mint(stale)
    assert not PortalSession.objects.exists()


@pytest.mark.parametrize("verb", ["create_session", "mint"])
def test_a_mint_takes_no_column_that_it_works_out_itself(config, verb):
    with pytest.raises(TypeError, match="'capabilities'"):
        getattr(PortalSession.objects, verb)(
            config, "user_123", ["keys:read"], actor=PortalEvent.SYSTEM, capabilities="keys:delete"
        )
    assert not PortalSession.objects.exists()


def test_exchanging_for_another_portal_spends_nothing(config):
    code = mint(config).secret
    with pytest.raises(PortalSessionNotFound):
        PortalSession.objects.exchange(code, slug="other-portal")
    assert PortalSession.objects.exchange(code, slug="my-portal").row.state() == State.ACTIVE


def test_revoke_for_ends_one_persons_sessions_at_one_portal(config):
    mine = [sign_in(config, "ada").row, mint(config, "ada").row]
    others = [sign_in(config, "bob").row, sign_in(PortalConfigFactory(), "ada").row]
    assert PortalSession.objects.revoke_for(config, "ada") == 2
    assert set(PortalSession.objects.live()) == set(others)
    event = PortalEvent.objects.first()
    assert (event.kind, event.external_id, event.detail["count"]) == ("session.revoked", "ada", len(mine))


def test_sessions_found_across_a_relation_can_be_ended(config, root_key):
    """As an admin's search finds them: by the root key's name or by the external id, and a session may have no root key."""
    mine = mint(config, "ada").row
    other = mint(config, "bob", minted_by=root_key.row.pk).row
    kept = mint(config, "eve").row
    found = PortalSession.objects.filter(models.Q(minted_by__name="Backend") | models.Q(external_id="ada"))
    assert found.revoke(PortalEvent.SYSTEM, reason="revoked") == 2
    assert set(PortalSession.objects.live()) == {kept}
    assert {mine, other} <= set(PortalSession.objects.exclude(revoked_at=None))


def test_disabling_a_root_key_can_end_what_it_minted(config):
    leaked, other = issue_root_key("leaked").row, issue_root_key("other").row
    sign_in(config, minted_by=leaked.pk)
    mint(config, minted_by=leaked.pk)
    kept = sign_in(config, minted_by=other.pk).row
    leaked.disable(end_sessions=True)
    assert list(PortalSession.objects.live()) == [kept]
    assert [event.kind for event in PortalEvent.objects.all()[:2]] == ["session.revoked", "root_key.disabled"]


def test_purge_deletes_what_ended_before_in_batches(config):
    old = [mint(config).row for _ in range(5)] + [sign_in(config).row]
    for row in old:
        row.revoke()
    ended = max(row.expires_at or row.code_expires_at for row in PortalSession.objects.all())
    kept = mint(config).row
    PortalSession.objects.filter(pk=kept.pk).update(code_expires_at=ended + MILLISECOND)
    before = ended + MILLISECOND
    assert PortalSession.objects.ended_before(before).count() == 6
    assert [PortalSession.objects.purge(before, 4) for _ in range(3)] == [4, 2, 0]
    assert list(PortalSession.objects.all()) == [kept]


def test_purge_uses_its_index(config):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = PortalSession.objects.ended_before(clock.now()).order_by().values("pk").explain()
    assert "portal_session_ends" in plan


def test_row_45_of_two_first_replays_one_is_recorded(config):
    code = mint(config).secret
    PortalSession.objects.exchange(code)
    others = []

    def another_was_first(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and not others:
            others.append(sql)
            PortalSession.objects.update(replayed_at=clock.now())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(another_was_first):
        PortalSession.objects.note_replay(code, None)
    assert others
    assert not PortalEvent.objects.filter(kind=PortalEvent.Kind.SESSION_REPLAYED).exists()


class TestRootKeys:
    def test_one_made_by_hand_may_mint_any_session(self):
        assert RootKey().permissions == list(MINT_ANY_SESSION)

    def test_issue_refuses_what_is_no_permission(self):
        with pytest.raises(ValidationError):
            issue_root_key(granted=["portal.*.create_portal_sessions"])
        with pytest.raises(ValidationError):
            issue_root_key("")
        with pytest.raises(ValidationError):
            issue_root_key(granted="keys:read")
        assert not RootKey.objects.exists()

    def test_issue_stores_a_hash_and_a_start(self):
        root_key, key = issue_root_key()
        root_key.refresh_from_db()
        assert bytes(root_key.key_hash) == tokens.digest(key)
        assert root_key.start == key[:8] + "…"
        assert root_key.public_id.startswith("rk_")
        assert str(root_key) == "Backend"
        event = PortalEvent.objects.get()
        assert event.detail == {"root_key_id": root_key.public_id, "name": "Backend"}
        assert str(event) == "root_key.created"

    def test_a_second_rotation_ends_the_first_secret(self):
        root_key = issue_root_key().row
        first_start = root_key.start
        root_key.rotate(timedelta(hours=1))
        root_key.rotate(timedelta(hours=1))
        root_key.refresh_from_db()
        assert root_key.start != first_start
        assert [event.kind for event in PortalEvent.objects.all()] == [
            "root_key.rotated",
            "root_key.rotated",
            "root_key.created",
        ]

    def test_deleting_a_root_key_leaves_its_sessions(self):
        root_key = issue_root_key().row
        session = mint(minted_by=root_key.pk).row
        root_key.delete()
        session.refresh_from_db()
        assert session.minted_by is None
        assert session.state() == State.PENDING
