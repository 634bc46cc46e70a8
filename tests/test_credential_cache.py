"""SESSION_CACHE_SECONDS: what a process remembers, and that nothing ended is remembered for longer than that."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.connection import ConnectionDoesNotExist

from portal import clock, credential_cache
from portal.authenticate import authenticate_root_key, authenticate_session
from portal.contrib.keys.models import ApiKey
from portal.contrib.keys.recorder import recorder
from portal.contrib.keys.verify import verify
from portal.keystore.base import Outcome
from portal.models import PortalConfig, PortalSession, RootKey
from tests.envelopes import assert_answer, assert_refused
from tests.factories import issue_root_key, mint, sign_in
from tests.pages.key_flow import form_of

# Commits are real: only they empty the map.
pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60


@pytest.fixture
def remembering(settings: Any) -> None:
    settings.PORTAL = {**settings.PORTAL, "SESSION_CACHE_SECONDS": SECONDS}


def queries(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


@pytest.fixture
def api_key(api: Callable[..., Any], config: PortalConfig) -> str:
    secret: str = api("createKey", {"name": "Laptop"}, token=sign_in(config).secret).json()["data"]["key"]
    return secret


def lookups(token: str, root_key: str, api_key: str) -> list[Callable[[], Any]]:
    """Return what looks each of the three credentials up."""
    return [
        lambda: authenticate_session(token),
        lambda: authenticate_root_key(root_key),
        lambda: verify(api_key),
    ]


def test_row_19_by_default_nothing_is_remembered(config, root_key, api_key):
    for ask in lookups(sign_in(config).secret, root_key.secret, api_key):
        assert [queries(ask) for _ in range(3)] == [1, 1, 1]


def test_what_is_remembered_asks_the_database_once(remembering, client, config, root_key, api_key, api):
    token = sign_in(config).secret
    for ask in lookups(token, root_key.secret, api_key):
        assert [queries(ask) for _ in range(3)] == [1, 0, 0]
    # Whichever way a session's token comes. What is noted of keys is written when requests end, some time or other.
    recorder.flush()
    assert queries(lambda: api("getSession", token=token)) == 0
    client.cookies["portal_session"] = token
    assert queries(lambda: api("getSession")) == 0


def test_the_answers_are_those_of_the_database(remembering, config, root_key, api_key):
    asks = lookups(sign_in(config, metadata={"org": "org_1"}).secret, root_key.secret, api_key)
    first = [ask() for ask in asks]
    assert [ask() for ask in asks] == first
    credential_cache.forget()
    assert [ask() for ask in asks] == first


def repoint(config: PortalConfig) -> None:
    config.keyspace_id = "ks_2"
    config.save()


def disable(config: PortalConfig) -> None:
    config.enabled = False
    config.save()


ENDS_SESSIONS: dict[str, Callable[[PortalConfig, Any], Any]] = {
    "revoked": lambda config, token: PortalSession.objects.get(external_id="user_123").revoke(),
    "revoked for a user": lambda config, token: PortalSession.objects.revoke_for(config, "user_123"),
    "signed out": lambda config, token: authenticate_session(token).sign_out(None),  # type: ignore[union-attr]
    "portal disabled": lambda config, token: disable(config),
    "portal deleted": lambda config, token: config.delete(),
    "portals deleted": lambda config, token: PortalConfig.objects.all().delete(),
    "portal pointed elsewhere": lambda config, token: repoint(config),
    "root key ended": lambda config, token: RootKey.objects.get().disable(end_sessions=True),
    "replaced": lambda config, token: PortalSession.objects.exchange(mint(config, "user_456").secret, replaces=token),
}


@pytest.mark.parametrize("how", ENDS_SESSIONS)
def test_decision_14_what_ends_a_session_ends_it_at_once_here(remembering, config, root_key, how):
    token = sign_in(config, minted_by=root_key.row.pk).secret
    assert authenticate_session(token)
    ENDS_SESSIONS[how](config, token)
    assert authenticate_session(token) is None


def test_a_changed_portal_is_seen_at_once_here(remembering, config):
    token = sign_in(config).secret
    assert authenticate_session(token).portal_allowed_origins == ()
    config.allowed_origins = ["https://app.example.com"]
    config.save()
    assert authenticate_session(token).portal_allowed_origins == ("https://app.example.com",)


def test_a_root_key_is_disabled_rotated_and_changed_at_once_here(remembering):
    row, first = issue_root_key(expires_at=clock.now() + timedelta(days=1))
    assert authenticate_root_key(first).enabled
    row.disable()
    assert not authenticate_root_key(first).enabled
    row.enable()
    assert authenticate_root_key(first).enabled
    _, second = row.rotate()
    assert authenticate_root_key(first) is None
    assert authenticate_root_key(second)
    row.expires_at = clock.now() - timedelta(days=1)
    row.change("expires_at")
    assert authenticate_root_key(second) is None


KEY_CHANGES: dict[str, tuple[Callable[[Any], Any], Outcome]] = {
    "locked": (lambda rows: rows.lock(rows.get().public_id), Outcome.FORBIDDEN),
    "disabled": (lambda rows: rows.change(rows.get().public_id, enabled=False), Outcome.DISABLED),
    "expired": (lambda rows: rows.change(rows.get().public_id, expires_at=clock.now()), Outcome.EXPIRED),
    "revoked": (lambda rows: rows.revoke(rows.get().public_id), Outcome.NOT_FOUND),
    "rotated": (lambda rows: rows.rotate(rows.get().public_id, "sk", timedelta(0)), Outcome.EXPIRED),
}


@pytest.mark.parametrize("how", KEY_CHANGES)
def test_an_api_key_is_changed_at_once_here(remembering, api_key, how):
    change, outcome = KEY_CHANGES[how]
    assert verify(api_key).valid
    change(ApiKey.objects.all())
    assert verify(api_key).outcome is outcome


def test_an_old_secret_is_ended_at_once_here(remembering, api_key):
    ApiKey.objects.rotate(ApiKey.objects.get().public_id, "sk", timedelta(hours=1))
    assert verify(api_key).valid
    ApiKey.objects.end_old_secret(ApiKey.objects.get().public_id)
    assert verify(api_key).outcome is Outcome.EXPIRED


def test_row_4_expiry_is_judged_at_each_use(remembering, config):
    token = sign_in(config).secret
    session = authenticate_session(token)
    _, secret = issue_root_key(expires_at=session.expires_at)
    assert authenticate_root_key(secret)
    asked = CaptureQueriesContext(connection)
    with asked, clock.using(lambda: session.expires_at - timedelta(milliseconds=1)):
        assert authenticate_session(token)
        assert authenticate_root_key(secret)
    with asked, clock.using(lambda: session.expires_at):
        assert authenticate_session(token) is None
        assert authenticate_root_key(secret) is None
    assert len(asked) == 0


def test_the_grace_period_of_a_root_key_ends_to_the_millisecond(remembering):
    row, first = issue_root_key()
    row.rotate(timedelta(hours=1))
    ends = row.previous_ends_at
    assert authenticate_root_key(first)
    with clock.using(lambda: ends - timedelta(milliseconds=1)):
        assert authenticate_root_key(first)
    with clock.using(lambda: ends):
        assert authenticate_root_key(first) is None


def test_row_19_what_another_process_ends_is_noticed_when_the_seconds_are_over(settings, config):
    settings.PORTAL = {**settings.PORTAL, "SESSION_CACHE_SECONDS": 0.3}
    token = sign_in(config).secret
    assert authenticate_session(token)
    # As another process does it: this one hears of no commit.
    PortalSession.objects.update(revoked_at=clock.now())
    assert authenticate_session(token)
    time.sleep(0.3)
    assert authenticate_session(token) is None


def test_f13_a_read_that_began_before_a_change_is_not_kept(remembering, config):
    session, token = sign_in(config)

    def change_meanwhile(execute, sql, *arguments):
        answer = execute(sql, *arguments)
        if sql.startswith("SELECT") and "token_hash" in sql and not changed:
            changed.append(True)
            session.revoke()
        return answer

    changed: list[bool] = []
    with connection.execute_wrapper(change_meanwhile):
        authenticate_session(token)
    assert changed
    assert authenticate_session(token) is None


def test_what_is_read_in_a_transaction_is_not_kept(remembering, config):
    row, key = issue_root_key()
    row.disable()
    with transaction.atomic():
        row.enable()
        assert authenticate_root_key(key).enabled
        transaction.set_rollback(True)
    assert not authenticate_root_key(key).enabled


def test_within_a_transaction_nothing_is_remembered(remembering, config):
    session, token = sign_in(config)
    assert authenticate_session(token)
    with transaction.atomic():
        session.revoke()
        assert authenticate_session(token) is None


@pytest.mark.parametrize("name", ["PortalSession", "RootKey", "ApiKey"])
def test_rows_that_a_host_saves_or_deletes_by_itself_are_noticed(remembering, config, api_key, name):
    session, token = sign_in(config)
    row, key = issue_root_key()
    found = {"PortalSession": session, "RootKey": row, "ApiKey": ApiKey.objects.get()}[name]
    ask = {
        "PortalSession": lambda: authenticate_session(token),
        "RootKey": lambda: authenticate_root_key(key),
        "ApiKey": lambda: verify(api_key).key,
    }[name]
    assert ask()
    found.save()
    assert queries(ask) == 1
    if name != "PortalSession":
        found.delete()
        assert ask() is None


def test_one_databases_credentials_are_not_anothers(remembering, config, settings):
    token = sign_in(config).secret
    assert authenticate_session(token)
    settings.DATABASE_ROUTERS = ["tests.hosts.replicas.ElsewhereRouter"]
    with pytest.raises(ConnectionDoesNotExist):
        authenticate_session(token)


def test_a_session_that_another_process_ended_makes_no_keys(remembering, api, config):
    token = sign_in(config).secret
    assert api("createKey", {"name": "Laptop"}, token=token).status_code == 200
    PortalSession.objects.update(revoked_at=clock.now())
    assert authenticate_session(token)
    for operation, body in (("createKey", {"name": "Phone"}), ("listKeys", {})):
        assert api(operation, body, token=token).status_code == 401


def test_row_19_nor_does_it_by_the_pages(remembering, client, config):
    token = client.cookies["portal_session"] = sign_in(config).secret
    form = form_of(client.get("/my-portal/keys/new/")) | {"name": "Laptop"}
    PortalSession.objects.update(revoked_at=clock.now())
    # It is remembered, and shown for that while.
    assert authenticate_session(token)
    assert client.get("/my-portal/keys/").status_code == 200
    assert client.post("/my-portal/keys/new/", form).status_code == 401
    assert not ApiKey.objects.exists()


def in_a_child(call: Callable[[], int]) -> int:
    """Return what ``call`` returns in a forked process; its connection to the database is its own."""
    connection.close()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = call()
        finally:
            os._exit(code)
    for _ in range(200):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("The child hangs.")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_begins_with_nothing(remembering, config):
    token = sign_in(config).secret
    assert authenticate_session(token)
    assert in_a_child(lambda: queries(lambda: authenticate_session(token))) == 1
    assert queries(lambda: authenticate_session(token)) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_nor_does_it_wait_for_a_lock_that_another_thread_held(remembering, config):
    token = sign_in(config).secret
    # Nothing public holds it for longer than a few instructions, and the fork must come between two of them.
    with credential_cache._lock:
        assert in_a_child(lambda: sum(queries(lambda: authenticate_session(token)) for _ in range(2))) == 1


def test_a_change_that_is_rolled_back_changes_nothing(remembering, config):
    token = sign_in(config).secret
    assert authenticate_session(token)
    with transaction.atomic():
        PortalSession.objects.revoke_for(config, "user_123")
        transaction.set_rollback(True)
    assert queries(lambda: authenticate_session(token)) == 0
    assert authenticate_session(token)


def test_who_comes_and_goes_does_not_disturb_the_others(remembering, config):
    token = sign_in(config).secret
    assert authenticate_session(token)
    sign_in(config, "user_456")
    issue_root_key("Another")
    assert queries(lambda: authenticate_session(token)) == 0


def test_a_stranger_fills_nothing(remembering, config):
    unknown = "pat_" + "0" * 43
    assert [queries(lambda: authenticate_session(unknown)) for _ in range(2)] == [1, 1]


def test_the_oldest_makes_room(remembering, config, monkeypatch):
    monkeypatch.setattr(credential_cache, "MAX_ENTRIES", 2)
    first, second, third = (sign_in(config, f"user_{number}").secret for number in range(3))
    for token in (first, second, third):
        authenticate_session(token)
    assert queries(lambda: authenticate_session(second)) == 0
    assert queries(lambda: authenticate_session(third)) == 0
    assert queries(lambda: authenticate_session(first)) == 1


def test_a_mint_notes_the_root_keys_use_once_in_five_minutes(remembering, api, config, root_key):
    body = {"slug": "my-portal", "externalId": "user_123", "permissions": ["keys:read"]}
    with CaptureQueriesContext(connection) as captured:
        counts = [queries(lambda: api("createSession", body, token=root_key.secret)) for _ in range(4)]
    assert sum("last_used_at" in query["sql"] and query["sql"].startswith("UPDATE") for query in captured) == 1
    # The first two look the key up and one of them notes its use; from then on it is remembered.
    assert counts[2] == counts[3] == min(counts)
    assert RootKey.objects.get().last_used_at is not None


def test_secrets_are_not_in_memory(remembering, config):
    token = sign_in(config).secret
    assert authenticate_session(token)
    memory = repr(vars(credential_cache))
    assert "external_id='user_123'" in memory
    assert token not in memory


@pytest.mark.parametrize(
    ("model", "ended"),
    [
        (PortalSession, lambda: {"revoked_at": clock.now()}),
        (PortalConfig, lambda: {"enabled": False}),
        (PortalConfig, lambda: {"keyspace_id": "ks_elsewhere"}),
    ],
    ids=["revoked", "disabled", "pointed elsewhere"],
)
def test_row_19_no_keys_are_opened_to_a_session_that_another_process_ended(remembering, config, api, model, ended):
    token = sign_in(config).secret
    assert_answer(api("listKeys", token=token))
    # Past what would tell this process.
    model.objects.update(**ended())
    assert authenticate_session(token)
    assert_refused(api("listKeys", token=token), 401, "unkey/authentication/portal_session_not_found")
