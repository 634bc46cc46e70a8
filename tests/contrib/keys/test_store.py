"""What the default store costs: statements by call, however many keys a user has, and the indexes that serve them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import ERROR
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import clock, tokens
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.store import DatabaseKeyStore
from portal.errors import InvalidInput
from portal.keystore.base import KeyFilter, KeyPage, KeyQuery, NewKey, Owner, RateLimit
from portal.keystore.listing import write_cursor
from portal.models import PortalConfig
from portal.tokens import nonce

pytestmark = pytest.mark.django_db

KEYSPACE = "ks_1"
MANY = 10_000
#: Every so many, a key is one that was rotated, is off, or was revoked.
ROTATED, DISABLED, REVOKED = 10, 7, 11

Act = Callable[[DatabaseKeyStore, Owner, str], Any]

#: What each call costs; opening and closing transactions not counted.
COSTS: dict[str, tuple[int, Act]] = {
    "a page": (2, lambda store, owner, key_id: store.list_keys(owner, KeyQuery())),
    "a page with counts": (3, lambda store, owner, key_id: store.list_keys(owner, KeyQuery(10, with_counts=True))),
    "a search": (3, lambda store, owner, key_id: store.list_keys(owner, KeyQuery(search="key 1", with_counts=True))),
    "get": (2, lambda store, owner, key_id: store.get_key(owner, key_id)),
    "create": (
        6,
        lambda store, owner, key_id: store.create_key(owner, NewKey("New", None), request_id=nonce()),
    ),
    "rename": (5, lambda store, owner, key_id: store.update_key(owner, key_id, {"name": "Renamed"})),
    "update": (3, lambda store, owner, key_id: store.update_key(owner, key_id, {"expires_at": None})),
    "reroll": (
        7,
        lambda store, owner, key_id: store.reroll_key(owner, key_id, grace=timedelta(hours=1), request_id=nonce()),
    ),
    "end the old secret": (4, lambda store, owner, key_id: store.end_old_secret(owner, key_id)),
    "revoke": (2, lambda store, owner, key_id: store.revoke_key(owner, key_id)),
}


@pytest.fixture
def store() -> DatabaseKeyStore:
    return DatabaseKeyStore()


@pytest.fixture
def owner() -> Owner:
    return Owner(PortalConfig(slug="my-portal", keyspace_id=KEYSPACE, key_limit=2 * MANY), "user_123")


def fill(owner: Owner, number: int, others: int) -> str:
    """Give the owner and ``others`` their keys, and return the id of one of the owner's that was rotated."""
    now = clock.now()
    rows = ApiKey.objects.bulk_create(
        [
            ApiKey(
                keyspace_id=owner.keyspace_id,
                external_id=owner.external_id if index < number else f"user_{index % 500}_",
                name=f"key {index}",
                start=f"sk_{index:04}"[:7],
                created_at=now - timedelta(seconds=index),
                enabled=index % DISABLED != 1,
                rotated_at=now if index % ROTATED == 0 else None,
                revoked_at=now if index % REVOKED == 2 else None,
            )
            for index in range(number + others)
        ],
        batch_size=1000,
    )
    secrets = [KeySecret(key=row, secret_hash=tokens.digest(row.public_id), start=row.start) for row in rows]
    old = {"start": "sk_old0", "ends_at": now + timedelta(hours=1), "last_used_at": now}
    secrets += [
        KeySecret(key=row, secret_hash=tokens.digest(f"{row.public_id} old"), **old) for row in rows if row.rotated_at
    ]
    KeySecret.objects.bulk_create(secrets, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows[0].public_id


def statements(act: Callable[[], Any]) -> list[str]:
    """Return what ``act`` asked of the database."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def postgres_plan(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        answer = cursor.fetchone()[0]

    def nodes(plan: dict[str, Any]) -> Iterator[str]:
        yield " ".join(plan[name] for name in ("Node Type", "Relation Name", "Index Name") if name in plan)
        for child in plan.get("Plans", ()):
            yield from nodes(child)

    return list(nodes((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]))


def sqlite_plan(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]


def plan(sql: str) -> list[str]:
    """Return the steps by which the database carries out ``sql``."""
    return {"postgresql": postgres_plan, "sqlite": sqlite_plan}[connection.vendor](sql)


def is_walk(step: str) -> bool:
    """Say whether a step reads a whole table of keys."""
    return "portal_keys_" in step and ("Seq Scan" in step or ("SCAN " in step and "SEARCH" not in step))


@pytest.mark.parametrize("number", [20, MANY])
def test_a_call_costs_the_same_with_20_and_with_10000_keys(store: DatabaseKeyStore, owner: Owner, number: int) -> None:
    key_id = fill(owner, number, others=20)
    costs = {name: len(statements(lambda act=act: act(store, owner, key_id))) for name, (_, act) in COSTS.items()}
    assert costs == {name: cost for name, (cost, _) in COSTS.items()}


def test_no_call_walks_through_a_table(store: DatabaseKeyStore, owner: Owner) -> None:
    key_id = fill(owner, 20, others=MANY)
    asked = {name: statements(lambda act=act: act(store, owner, key_id)) for name, (_, act) in COSTS.items()}
    walks = [
        (name, sql, step)
        for name, asked_by_it in asked.items()
        for sql in asked_by_it
        for step in plan(sql)
        if is_walk(step)
    ]
    assert walks == []


@pytest.mark.parametrize("sort", ["created", "-created"])
def test_every_page_comes_from_the_owners_index_in_its_order(store: DatabaseKeyStore, owner: Owner, sort: Any) -> None:
    fill(owner, MANY, others=MANY)
    pages: list[KeyPage] = []

    def read(**place: Any) -> None:
        pages.append(store.list_keys(owner, KeyQuery(sort=sort, limit=50, **place)))

    middle = write_cursor(False, clock.to_milliseconds(clock.now() - timedelta(seconds=MANY / 2)), 0)
    asked = statements(read) + statements(lambda: read(cursor=middle))
    asked += statements(lambda: read(cursor=pages[1].next)) + statements(lambda: read(cursor=pages[2].previous))
    assert [len(page.keys) for page in pages] == [50] * 4
    assert pages[3].keys == pages[1].keys
    of_keys = [plan(sql) for sql in asked if "FROM portal_keys_apikey" in sql]
    assert len(of_keys) == 4
    for steps in of_keys:
        assert "portal_keys_key_owner" in " ".join(steps)
        assert not any("Sort" in step or "TEMP B-TREE" in step for step in steps), steps


def test_a_page_in_the_middle_reads_no_page_before_it(store: DatabaseKeyStore, owner: Owner) -> None:
    """What bounds the index is in the plan, beside the owner."""
    fill(owner, MANY, others=0)
    page = store.list_keys(owner, KeyQuery(limit=50))
    [sql] = [
        sql
        for sql in statements(lambda: store.list_keys(owner, KeyQuery(limit=50, cursor=page.next)))
        if "FROM portal_keys_apikey" in sql
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {sql}")
        said = "\n".join(str(row) for row in cursor.fetchall())
    [bounds] = [line for line in said.splitlines() if "external_id=?" in line or "Index Cond" in line]
    assert "created_at<" in bounds.replace(" ", "")


def test_each_filter_finds_its_keys_among_many(store: DatabaseKeyStore, owner: Owner) -> None:
    fill(owner, MANY, others=20)
    counts = store.list_keys(owner, KeyQuery(limit=1, with_counts=True)).counts
    assert counts is not None
    live = [index for index in range(MANY) if index % REVOKED != 2]
    off = [index for index in live if index % DISABLED == 1]
    old = [index for index in live if index % ROTATED == 0 and index % DISABLED != 1]
    assert (counts.total, counts.disabled, counts.active) == (len(live), len(off), len(live) - len(off))
    assert (counts.old_in_use, counts.expired, counts.expiring) == (len(old), 0, 0)
    page = store.list_keys(owner, KeyQuery(filter=KeyFilter.OLD_IN_USE, with_counts=True))
    assert page.matching == len(old)
    assert all(key.old_secret is not None and key.old_secret.in_use for key in page.keys)


@pytest.mark.parametrize(
    "place",
    [("a text", 1), (1, "an id"), (10**18, 1), (253402300799999, 1), (-62135596800000, 1), (1, -1), (1, 2**63)],
    ids=str,
)
def test_a_cursor_of_another_form_is_refused(store: DatabaseKeyStore, owner: Owner, place: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        store.list_keys(owner, KeyQuery(cursor=write_cursor(False, *place)))
    assert [problem["location"] for problem in caught.value.errors] == ["body.cursor"]


def test_a_cursor_by_time_is_none_by_name(store: DatabaseKeyStore, owner: Owner) -> None:
    with pytest.raises(InvalidInput):
        store.list_keys(owner, KeyQuery(sort="name", cursor=write_cursor(False, 1, 1)))


def test_a_rate_limit_is_shown(store: DatabaseKeyStore, owner: Owner) -> None:
    key, _ = store.create_key(owner, NewKey("Server", None), request_id=nonce())
    ApiKey.objects.filter(public_id=key.id).update(rate_limit=100, rate_limit_seconds=90)
    assert key.rate_limit is None
    assert store.get_key(owner, key.id).rate_limit == RateLimit(100, timedelta(seconds=90))


class KeysElsewhere:
    """A router that keeps API keys in a database of their own."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "keys" if model._meta.app_label == "portal_keys" else None


def test_keys_and_events_must_share_a_database(settings: Any) -> None:
    assert DatabaseKeyStore().check() == []
    settings.DATABASE_ROUTERS = [KeysElsewhere()]
    assert [(message.id, message.level) for message in DatabaseKeyStore().check()] == [("portal_keys.E001", ERROR)]
