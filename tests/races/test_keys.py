"""An end user's keys and many requests at once: whatever is promised once happens once (security F21 and F22)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.recorder import recorder
from portal.contrib.keys.verify import verify
from portal.keystore.base import Outcome
from portal.models import PortalEvent
from tests.races.crew import CALLERS, Crew
from tests.races.keys import (
    accepted,
    assert_secrets_are_right,
    create,
    give,
    lock,
    new_user,
    reroll,
    revoke,
    update,
)
from tests.races.rounds import on_both_hosts, rounds

pytestmark = pytest.mark.django_db(transaction=True)

#: Callers of one race: twice as many as the crew has processes.
WORKERS = 8

DONE = (200, "")
REPEATED = (409, "already_created")
UNKNOWN = (404, "key_not_found")
LOCKED = (403, "locked")


@pytest.fixture(autouse=True)
def nothing_to_write() -> Iterator[None]:
    """Let the uses of this process not be written after its database is gone."""
    yield
    recorder.forget()


def events(kind: PortalEvent.Kind, key_id: str) -> int:
    return PortalEvent.objects.filter(kind=kind, detail__key_id=key_id).count()


@on_both_hosts
@rounds(3)
def test_rotations_of_one_request_make_one_secret(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        key, old = give(user)
        answers = crew.race([partial(reroll, user, key.id, request_id="one")] * WORKERS)
        assert Counter(answer.outcome for answer in answers) == {DONE: 1, REPEATED: WORKERS - 1}
        [new] = [answer.secret for answer in answers if answer.secret]
        assert accepted([old, new]) == [old, new]
        assert KeySecret.objects.filter(key__public_id=key.id).count() == 2
        assert events(PortalEvent.Kind.KEY_ROTATED, key.id) == 1
        assert_secrets_are_right(user)


@on_both_hosts
@rounds(3)
def test_rotations_of_different_requests_come_one_after_the_other(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        key, old = give(user)
        answers = crew.race([partial(reroll, user, key.id, request_id=f"{n}") for n in range(WORKERS)])
        assert {answer.outcome for answer in answers} == {DONE}
        made = [answer.secret for answer in answers]
        # The last one, and the one before it for its grace.
        assert len(accepted(made)) == 2
        assert accepted([old]) == []
        assert events(PortalEvent.Kind.KEY_ROTATED, key.id) == WORKERS
        assert_secrets_are_right(user)


@rounds(3)
def test_rotations_without_grace_leave_one_secret(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        key, old = give(user)
        answers = crew.race([partial(reroll, user, key.id, 0)] * WORKERS)
        assert {answer.outcome for answer in answers} == {DONE}
        assert len(accepted([old, *(answer.secret for answer in answers)])) == 1
        assert_secrets_are_right(user)


@rounds(5)
def test_a_key_that_is_rotated_and_revoked_is_revoked(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        key, old = give(user)
        rotations = [partial(reroll, user, key.id)] * (WORKERS - 2)
        *rotated, first, second = crew.race([*rotations, *[partial(revoke, user, key.id)] * 2])
        assert {answer.outcome for answer in rotated} <= {DONE, UNKNOWN}
        assert {first.outcome, second.outcome} == {DONE, UNKNOWN}
        secrets = [old, *(answer.secret for answer in rotated if answer.secret)]
        assert {verify(secret).outcome for secret in secrets} == {Outcome.NOT_FOUND}
        assert not user.keys.exists()
        assert not KeySecret.objects.filter(key__public_id=key.id).exists()
        assert events(PortalEvent.Kind.KEY_REVOKED, key.id) == 1


@rounds(5)
def test_a_key_that_is_rotated_and_locked_is_locked(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        key, old = give(user)
        *rotated, locked = crew.race([*[partial(reroll, user, key.id)] * (WORKERS - 1), partial(lock, key.id)])
        assert locked.outcome == DONE
        assert {answer.outcome for answer in rotated} <= {DONE, LOCKED}
        secrets = [old, *(answer.secret for answer in rotated if answer.secret)]
        assert accepted(secrets) == []
        assert reroll(user, key.id)().outcome == LOCKED
        assert_secrets_are_right(user)


@on_both_hosts
@rounds(3)
def test_creations_at_the_limit_reach_it_exactly(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user(key_limit=3)
        give(user)
        answers = crew.race([partial(create, user, f"Key {n}") for n in range(WORKERS)])
        assert Counter(answer.outcome for answer in answers) == {DONE: 2, (409, "limit_reached"): WORKERS - 2}
        assert user.keys.count() == 3


@on_both_hosts
@rounds(3)
def test_creations_of_one_request_make_one_key(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        answers = crew.race([partial(create, user, "Server", "one")] * WORKERS)
        assert Counter(answer.outcome for answer in answers) == {DONE: 1, REPEATED: WORKERS - 1}
        [key] = user.keys
        assert len(accepted([answer.secret for answer in answers if answer.secret])) == 1
        assert events(PortalEvent.Kind.KEY_CREATED, key.public_id) == 1


@rounds(3)
def test_creations_of_one_name_make_one_key(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        answers = crew.race([partial(create, user, "Server")] * WORKERS)
        assert Counter(answer.outcome for answer in answers) == {DONE: 1, (409, "name_taken"): WORKERS - 1}
        assert user.keys.count() == 1


@rounds(3)
def test_one_of_many_keys_gets_a_name(crew: Crew, rounds: int) -> None:
    for _ in range(rounds):
        user = new_user()
        ids = [give(user, f"Key {n}").key.id for n in range(WORKERS)]
        answers = crew.race([partial(update, user, key_id, name="Server") for key_id in ids])
        assert Counter(answer.outcome for answer in answers) == {DONE: 1, (409, "name_taken"): WORKERS - 1}
        assert user.keys.filter(name="Server").count() == 1
        assert user.keys.count() == WORKERS


@on_both_hosts
@rounds(3)
def test_everything_at_once_stops_nobody(crew: Crew, rounds: int) -> None:
    """No deadlock, no timeout, no failure of the server; and afterwards every key is whole."""
    for _ in range(rounds):
        user = new_user()
        ids = [give(user, f"Key {n}").key.id for n in range(4)]
        calls = [
            [
                partial(reroll, user, key_id),
                partial(update, user, key_id, name="Server"),
                partial(create, user, f"New {number}"),
                partial(update, user, key_id, enabled=bool(number % 2)),
            ][number // len(ids) % 4]
            for number in range(CALLERS - 3)
            for key_id in [ids[number % len(ids)]]
        ]
        answers = crew.race(
            [*calls, partial(revoke, user, ids[0]), partial(revoke, user, ids[0]), partial(lock, ids[1])]
        )
        assert {answer.status for answer in answers} <= {200, 403, 404, 409}
        made = [answer.secret for answer in answers if answer.secret]
        assert len(set(made)) == len(made)
        names = list(user.keys.values_list("name", flat=True))
        assert len(set(names)) == len(names)
        assert not user.keys.filter(public_id=ids[0]).exists()
        assert ApiKey.objects.get(public_id=ids[1]).locked
        assert_secrets_are_right(user)
