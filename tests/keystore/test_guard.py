"""F20: a key store that raises, hangs or answers junk harms nobody: 502 or 503 in time, and a line in the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from portal import clock, request_id, tokens
from portal.errors import (
    ApiKeyNotFound,
    Forbidden,
    InvalidInput,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
    KeyStoreFailed,
    KeyStoreUnavailable,
    PortalError,
    PortalSessionNotFound,
)
from portal.keystore.base import (
    IssuedKey,
    Key,
    KeyCounts,
    KeyPage,
    KeyQuery,
    KeyStore,
    NewKey,
    OldSecret,
    Outcome,
    Owner,
    RateLimit,
    UsageBucket,
    UsageSummary,
)
from portal.keystore.guard import GuardedKeyStore
from portal.models import PortalConfig, PortalEvent
from tests.envelopes import assert_answer, assert_refused

from .doubles import TIME_LIMIT, KeptStore, NearPuppet, Puppet

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
KEY = Key(id="key_1", start="sk_abcd", name="Server", created_at=NOW)
SECRET = tokens.mint_api_key("sk")
PAGE = KeyPage((KEY,))
COUNTS = KeyCounts(1, 1, 0, 0, 0, 0)
BUCKET = UsageBucket("key_1", NOW, {Outcome.VALID: 3})
OTHERS = UsageBucket("", NOW, {Outcome.VALID: 2})
LOOKALIKE = SimpleNamespace(key_id="key_1", start=NOW, counts={})
OWNER = Owner(PortalConfig(keyspace_id="ks_1"), "user_123")
COUNTED = KeyQuery(with_counts=True)

#: Each method, called as the portal calls it, and a right answer.
CALLS: dict[str, tuple[Callable[[KeyStore], Any], Any]] = {
    "list_keys": (lambda store: store.list_keys(OWNER, KeyQuery(limit=1)), PAGE),
    "list_keys_counted": (
        lambda store: store.list_keys(OWNER, COUNTED),
        replace(PAGE, counts=COUNTS, matching=1, before=0),
    ),
    "get_key": (lambda store: store.get_key(OWNER, "key_1"), KEY),
    "create_key": (
        lambda store: store.create_key(OWNER, NewKey("Server", None), request_id="1"),
        IssuedKey(KEY, SECRET),
    ),
    "update_key": (lambda store: store.update_key(OWNER, "key_1", {"enabled": True}), KEY),
    "reroll_key": (
        lambda store: store.reroll_key(OWNER, "key_1", grace=timedelta(0), request_id="1"),
        IssuedKey(KEY, SECRET),
    ),
    "end_old_secret": (lambda store: store.end_old_secret(OWNER, "key_1"), KEY),
    "revoke_key": (lambda store: store.revoke_key(OWNER, "key_1"), None),
    "usage": (lambda store: store.usage(OWNER, NOW, NOW, bucket=timedelta(hours=1)), [BUCKET]),
    "usage_summary": (
        lambda store: store.usage_summary(OWNER, NOW, NOW, bucket=timedelta(hours=1), most=1, since=NOW),
        UsageSummary([BUCKET, OTHERS], 2, {BUCKET.key_id: "Server"}),
    ),
}

#: The operations of the API that ask a store for something, with a body.
OPERATIONS: dict[str, dict[str, Any]] = {
    "listKeys": {},
    "createKey": {"name": "Server"},
    "updateKey": {"keyId": "key_1", "name": "Renamed"},
    "rerollKey": {"keyId": "key_1", "expiration": 0},
    "deleteKey": {"keyId": "key_1"},
}


class Strange:
    """Cannot be looked at, and its text is a secret."""

    def __repr__(self) -> str:
        return SECRET

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(SECRET)


def answering(answer: Any, kind: type[Puppet] = NearPuppet) -> GuardedKeyStore:
    return GuardedKeyStore(kind(lambda: answer))


def raising(error: BaseException, kind: type[Puppet] = NearPuppet) -> GuardedKeyStore:
    def act() -> None:
        raise error

    return GuardedKeyStore(kind(act))


@pytest.mark.parametrize("kind", [Puppet, NearPuppet])
@pytest.mark.parametrize("method", CALLS)
def test_a_right_answer_passes(method: str, kind: type[Puppet]) -> None:
    call, answer = CALLS[method]
    assert call(answering(answer, kind)) is answer


FULL = Key(
    id="k" * 255,
    start="",
    name="日本",
    created_at=NOW,
    expires_at=NOW.astimezone(timezone(timedelta(hours=9))),
    updated_at=NOW,
    last_used_at=NOW,
    permissions=("a", "b"),
    metadata={"plan": {"seats": [1, None, 2.5]}},
    rate_limit=RateLimit(10, timedelta(seconds=1)),
    old_secret=OldSecret("sk_", NOW, in_use=True),
    version="7",
)


def test_a_key_with_everything_passes() -> None:
    page = KeyPage((FULL,), next="a", previous="b")
    assert answering(page).list_keys(OWNER, KeyQuery()) is page


JUNK_KEYS: list[Any] = [
    None,
    "key_1",
    Strange(),
    KEY.__repr__,
    {"id": "key_1"},
    *(
        replace(KEY, **{name: value})
        for name, values in {
            "id": (None, 7, "", "k1", "key-1", "key_1\n", "k" * 256, "ключ", "\ud800ab"),
            "start": (None, b"sk_", Strange(), "\ud800"),
            "name": (None, 7, "\ud800"),
            "version": (None, 1),
            "created_at": (None, NOW.replace(tzinfo=None), 1700000000, "2030-01-01", NOW.date()),
            "expires_at": (
                NOW.replace(tzinfo=None),
                0,
                datetime.max.replace(tzinfo=timezone(-timedelta(hours=9))),
                Strange(),
            ),
            "updated_at": (NOW.replace(tzinfo=None), "now"),
            "last_used_at": (NOW.replace(tzinfo=None), 1.5),
            "enabled": (None, 1, "no", []),
            "locked": (None, 0),
            "permissions": (None, "maps.read", ["maps.read"], (None,), ("\ud800",), Strange()),
            "metadata": (None, [], {1: 2}, {"a": NOW}, {"a": {1, 2}}, {"a": float("nan")}, {"a": "\ud800"}, Strange()),
            "rate_limit": (0, "10/min", RateLimit("10", timedelta(1)), RateLimit(True, timedelta(1)), RateLimit(1, 60)),  # type: ignore[arg-type]
            "old_secret": (
                "sk_",
                OldSecret("sk_", None),  # type: ignore[arg-type]
                OldSecret("sk_", NOW.replace(tzinfo=None)),
                OldSecret(None, NOW),  # type: ignore[arg-type]
                OldSecret("sk_", NOW, "yes"),  # type: ignore[arg-type]
                Strange(),
            ),
        }.items()
        for value in values
    ),
]


def refused(call: Callable[[KeyStore], Any], store: GuardedKeyStore, written: Callable[[], str]) -> None:
    before = written()
    with pytest.raises(KeyStoreFailed):
        call(store)
    said = written().removeprefix(before)
    assert said.count("\n") == 1
    assert "] The key store answered what is not as the protocol says: " in said
    assert SECRET not in said
    assert "_***" not in said


@pytest.mark.parametrize("junk", JUNK_KEYS, ids=range(len(JUNK_KEYS)))
def test_f20_a_junk_key_wherever_it_comes(junk: Any, written: Callable[[], str]) -> None:
    for method in ("get_key", "update_key", "end_old_secret"):
        refused(CALLS[method][0], answering(junk), written)
    refused(CALLS["list_keys"][0], answering(KeyPage((junk,))), written)
    for method in ("create_key", "reroll_key"):
        refused(CALLS[method][0], answering(IssuedKey(junk, SECRET)), written)


@pytest.mark.parametrize("method", ["get_key", "update_key", "end_old_secret"])
def test_f20_another_key_than_the_one_asked_for(method: str, written: Callable[[], str]) -> None:
    refused(CALLS[method][0], answering(replace(KEY, id="key_2")), written)


def test_f20_another_key_rotated_than_the_one_asked_for(written: Callable[[], str]) -> None:
    refused(CALLS["reroll_key"][0], answering(IssuedKey(replace(KEY, id="key_2"), SECRET)), written)


JUNK: list[tuple[str, Any]] = [
    *(("create_key", answer) for answer in (None, KEY, SECRET, (KEY, SECRET), Strange())),
    *(("create_key", IssuedKey(KEY, secret)) for secret in (None, b"sk_", "", "\ud800")),  # type: ignore[arg-type]
    *(("reroll_key", IssuedKey(KEY, secret)) for secret in (None, "")),  # type: ignore[arg-type]
    *(("list_keys", answer) for answer in (None, [], [KEY], {}, KEY, Strange())),
    *(
        ("list_keys", replace(PAGE, **{name: value}))
        for name, value in (
            ("keys", None),
            ("keys", KEY),
            ("keys", iter([KEY])),
            ("keys", (KEY, KEY)),
            ("next", None),
            ("next", 5),
            ("previous", b""),
            ("next", "\ud800"),
        )
    ),
    ("list_keys_counted", PAGE),
    *(
        ("list_keys_counted", replace(CALLS["list_keys_counted"][1], **{name: value}))
        for name, value in (
            ("counts", None),
            ("counts", {}),
            ("counts", replace(COUNTS, total=None)),
            ("counts", replace(COUNTS, active=-1)),
            ("counts", replace(COUNTS, active=True)),
            ("matching", None),
            ("matching", "1"),
            ("before", -1),
            ("before", 0.5),
        )
    ),
    *(("usage", answer) for answer in (None, {}, iter([BUCKET]), "ab", [None], [KEY], [LOOKALIKE], Strange())),
    *(
        ("usage", [replace(BUCKET, **{name: value})])
        for name, value in (
            ("key_id", None),
            ("key_id", ""),
            ("key_id", "key-1"),
            ("start", None),
            ("start", NOW.replace(tzinfo=None)),
            ("counts", None),
            ("counts", {"UNHEARD_OF": 1}),
            ("counts", {Outcome.VALID: "3"}),
            ("counts", {Outcome.VALID: -3}),
        )
    ),
    *(("usage_summary", answer) for answer in (None, [BUCKET], Strange())),
    *(
        ("usage_summary", UsageSummary(buckets, others))
        for buckets, others in (
            (None, 0),
            ([None], 0),
            ([BUCKET], None),
            ([BUCKET], -1),
            ([BUCKET, replace(BUCKET, key_id="key_2")], 0),
            ([replace(BUCKET, key_id="key-1")], 0),
            # Others without a number, and a number of nobody.
            ([BUCKET], 2),
            ([BUCKET, replace(OTHERS, counts={Outcome.VALID: 0})], 2),
            ([BUCKET, replace(OTHERS, start=NOW - timedelta(hours=1))], 2),
            ([BUCKET, OTHERS], 0),
        )
    ),
    *(
        ("usage_summary", UsageSummary([BUCKET], 0, names))
        for names in ([BUCKET.key_id], {"key_2": "Server"}, {BUCKET.key_id: None}, {BUCKET.key_id: "\ud800"})
    ),
]


@pytest.mark.parametrize(
    "buckets", [[], [BUCKET], [replace(OTHERS, start=NOW - timedelta(hours=1))], [replace(OTHERS, counts={})]]
)
def test_nobody_else_has_to_be_used_in_the_time_of_ranking(buckets: list[UsageBucket]) -> None:
    summary = UsageSummary(buckets, 0)
    assert CALLS["usage_summary"][0](answering(summary)) == summary


@pytest.mark.parametrize(("method", "junk"), JUNK, ids=[f"{method}-{index}" for index, (method, _) in enumerate(JUNK)])
def test_f20_junk(method: str, junk: Any, written: Callable[[], str]) -> None:
    refused(CALLS[method][0], answering(junk), written)


REFUSALS: list[PortalError] = [
    ApiKeyNotFound(),
    Forbidden("No."),
    InvalidInput(),
    KeyAlreadyCreated("key_1"),
    KeyChangedMeanwhile(),
    KeyLimitReached(3),
    KeyLocked(),
    KeyNameTaken(),
    KeyNotActive(),
]


@pytest.mark.parametrize("kind", [Puppet, NearPuppet])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_refusal_of_the_protocol_passes(
    refusal: PortalError, kind: type[Puppet], caplog: pytest.LogCaptureFixture
) -> None:
    for call, _ in CALLS.values():
        with pytest.raises(type(refusal)) as caught:
            call(raising(refusal, kind))
        assert caught.value is refusal
    assert caplog.records == []


RAISED: list[tuple[BaseException, type[PortalError]]] = [
    (RuntimeError("broken"), KeyStoreFailed),
    (KeyError("id"), KeyStoreFailed),
    (RecursionError(), KeyStoreFailed),
    (NotImplementedError(), KeyStoreFailed),
    # Of the portal, and none of a store's business: a client would believe that its session has ended.
    (PortalSessionNotFound(), KeyStoreFailed),
    (KeyStoreFailed(), KeyStoreFailed),
    (ConnectionRefusedError(), KeyStoreUnavailable),
    (TimeoutError(), KeyStoreUnavailable),
    (KeyStoreUnavailable("Back at noon."), KeyStoreUnavailable),
    (OperationalError("server closed the connection"), OperationalError),  # type: ignore[list-item]
]


@pytest.mark.parametrize("kind", [Puppet, NearPuppet])
@pytest.mark.parametrize(("error", "expected"), RAISED, ids=lambda value: getattr(value, "__name__", None))
def test_f20_it_raises(error: Exception, expected: type[Exception], kind: type[Puppet]) -> None:
    for call, _ in CALLS.values():
        with pytest.raises(expected) as caught:
            call(raising(error, kind))
        assert type(caught.value) is expected


def test_f20_it_hangs() -> None:
    end = threading.Event()
    try:
        for call, _ in CALLS.values():
            begun = time.monotonic()
            with pytest.raises(KeyStoreUnavailable):
                call(GuardedKeyStore(Puppet(lambda: end.wait(30))))
            assert TIME_LIMIT <= time.monotonic() - begun < TIME_LIMIT + 1
    finally:
        end.set()


def test_f20_while_all_that_may_hang_do_others_do_not_wait_longer() -> None:
    end, begun = threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        begun.release()
        end.wait(30)

    store = GuardedKeyStore(Puppet(hang))
    refusals = []

    def ask() -> None:
        try:
            store.get_key(OWNER, "key_1")
        except KeyStoreUnavailable as error:
            refusals.append(error)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    started = time.monotonic()
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refusals) == 20
        assert time.monotonic() - started < 2 * TIME_LIMIT + 1
        assert sum(begun.acquire(blocking=False) for _ in range(20)) == 16
    finally:
        end.set()


def test_a_store_elsewhere_knows_the_request_and_its_time() -> None:
    """Its own lines carry the request id, although it runs on a thread of its own."""
    seen = []

    def act() -> Key:
        seen.append((request_id.current(), clock.now(), threading.current_thread() is threading.main_thread()))
        return KEY

    token = request_id._current.set("req_0123456789abcdef")
    try:
        with clock.using(lambda: NOW):
            GuardedKeyStore(Puppet(act)).get_key(OWNER, "key_1")
            GuardedKeyStore(NearPuppet(act)).get_key(OWNER, "key_1")
    finally:
        request_id._current.reset(token)
    here = threading.current_thread() is threading.main_thread()
    assert seen == [("req_0123456789abcdef", NOW, False), ("req_0123456789abcdef", NOW, here)]


def test_the_guard_supports_what_its_store_does() -> None:
    near, far = answering(None), answering(None, Puppet)
    assert (near.time_limit, far.time_limit) == (None, TIME_LIMIT)
    assert near.supports_create
    assert not near.supports_permissions


def test_the_guard_lets_a_store_check_itself() -> None:
    (message,) = GuardedKeyStore(KeptStore(opinion="The options are odd.")).check()
    assert message.id == "tests.W001"


def fail() -> None:
    hidden = SECRET
    raise RuntimeError(f"duplicate key value {hidden}")


FAULTS: dict[str, tuple[Callable[[], Any], int, str]] = {
    "raises": (fail, 502, "portal/keys/store_failed"),
    "cannot be reached": (lambda: raise_(ConnectionRefusedError(SECRET)), 503, "portal/keys/store_unavailable"),
    "hangs": (lambda: time.sleep(4 * TIME_LIMIT), 503, "portal/keys/store_unavailable"),
    "answers junk": (lambda: SECRET, 502, "portal/keys/store_failed"),
}


def raise_(error: Exception) -> None:
    raise error


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_f20_by_http(
    api: Callable[..., Any],
    use: Callable[..., Any],
    token: str,
    written: Callable[[], str],
    operation: str,
    fault: str,
) -> None:
    act, status, code = FAULTS[fault]
    if (fault, operation) == ("answers junk", "deleteKey"):
        # Whatever it answers, it is not looked at.
        return
    use("Puppet", act=act)
    events = PortalEvent.objects.count()
    begun = time.monotonic()
    answer = api(operation, OPERATIONS[operation], token=token)
    assert time.monotonic() - begun < TIME_LIMIT + 2
    assert_refused(answer, status, code)
    assert answer.get("Retry-After") == ("5" if status == 503 else None)
    said = written()
    assert f"ERROR [{answer['X-Request-Id']}] The key store " in said
    assert ("Traceback (most recent call last):" in said) is (fault != "answers junk")
    for text in (said, answer.serialize().decode()):
        assert SECRET not in text
        assert SECRET[3:] not in text
    assert PortalEvent.objects.count() == events
    assert assert_answer(api("getSession", token=token))["data"]["externalId"] == "user_123"


@pytest.fixture
def grown(api: Callable[..., Any], use: Callable[..., Any], token: str, config: PortalConfig) -> tuple[Any, str, str]:
    """Return a store elsewhere and the id and secret of a key in it."""
    store = use("RemoteStore")
    made = assert_answer(api("createKey", {"name": "Server"}, token=token))["data"]
    return store, made["keyId"], made["key"]


@pytest.mark.django_db
def test_f20_a_rotation_that_fails_before_it_began_is_none(
    api: Callable[..., Any], token: str, grown: tuple[Any, str, str]
) -> None:
    store, key_id, old = grown
    body, once = {"keyId": key_id, "expiration": 0}, {"Idempotency-Key": "once"}
    store.fails = "before"
    assert_refused(api("rerollKey", body, token=token, **once), 503, "portal/keys/store_unavailable")
    assert store.accepts(old)
    assert not PortalEvent.objects.filter(kind="key.rotated").exists()
    store.fails = ""
    new = assert_answer(api("rerollKey", body, token=token, **once))["data"]["key"]
    assert (store.accepts(old), store.accepts(new)) == (False, True)


@pytest.mark.django_db
def test_f21_a_rotation_whose_answer_is_lost_is_not_done_twice(
    api: Callable[..., Any], token: str, grown: tuple[Any, str, str], config: PortalConfig
) -> None:
    store, key_id, old = grown
    body, once = {"keyId": key_id, "expiration": 3_600_000}, {"Idempotency-Key": "once"}
    store.fails = "after"
    now = clock.now()
    with clock.using(lambda: now):
        assert_refused(api("rerollKey", body, token=token, **once), 503, "portal/keys/store_unavailable")
    store.fails = ""
    start = store.get_key(Owner(config, "user_123"), key_id).start
    answer = api("rerollKey", body, token=token, **once)
    assert_refused(answer, 409, "portal/keys/already_created")
    assert key_id in answer.json()["error"]["detail"]
    key = store.get_key(Owner(config, "user_123"), key_id)
    # The first rotation's secret is the key's, nobody has it, and the old one works to the end of its grace.
    assert key.start == start
    assert key.old_secret is not None
    assert key.old_secret.ends_at == now + timedelta(hours=1)
    assert store.accepts(old)
    with clock.using(lambda: now + timedelta(hours=1)):
        assert not store.accepts(old)
