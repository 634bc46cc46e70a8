"""The numbers of a list: counted here where a page holds all keys, else by the database, and the same either way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import clock, tokens
from portal.contrib.keys.models import ApiKey, KeySecret
from portal.contrib.keys.store import DatabaseKeyStore
from portal.keystore.base import EXPIRES_SOON, KeyFilter, KeyPage, KeyQuery, Owner
from portal.models import PortalConfig

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_key")]

NOW = datetime(2026, 11, 24, 15, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
OWNER = Owner(PortalConfig(slug="my-portal", keyspace_id="ks_1"), "user_123")

ENDS = (None, NOW - HOUR, NOW, NOW + HOUR, NOW + EXPIRES_SOON, NOW + EXPIRES_SOON + HOUR)
#: When the old secret ends and when it was used; the rotation was two hours ago.
OLD = (None, (NOW + HOUR, None), (NOW + HOUR, NOW - 3 * HOUR), (NOW + HOUR, NOW - HOUR), (NOW, NOW - HOUR))
#: Of which key this is, and its neighbors: one that the user and one that an operator switched off.
SWITCHES = ((True, False), (False, False), (True, True))
EVERY = len(ENDS) * len(OLD) * len(SWITCHES)


@pytest.fixture
def every_key() -> Iterator[None]:
    """Give the owner a key in each state, and somebody else one, at a time that stands still."""
    for number, (ends, old, (enabled, locked)) in enumerate(product(ENDS, OLD, SWITCHES)):
        key = ApiKey.objects.create(
            keyspace_id=OWNER.keyspace_id,
            external_id=OWNER.external_id,
            name=f"Key {number:02}",
            start="sk_abcd",
            enabled=enabled,
            locked=locked,
            expires_at=ends,
            rotated_at=old and NOW - 2 * HOUR,
            created_at=NOW - number * HOUR,
        )
        if old:
            ends_at, used = old
            KeySecret.objects.create(
                key=key, secret_hash=tokens.digest(key.public_id), start="sk_old0", ends_at=ends_at, last_used_at=used
            )
    ApiKey.objects.create(keyspace_id=OWNER.keyspace_id, external_id="user_456", name="Theirs", start="sk_abcd")
    with clock.using(lambda: NOW):
        yield


def pages(**query: object) -> tuple[KeyPage, int]:
    """Return a page with counts, and how many statements it took."""
    with CaptureQueriesContext(connection) as captured:
        page = DatabaseKeyStore().list_keys(OWNER, KeyQuery(with_counts=True, **query))  # type: ignore[arg-type]
    return page, len(captured)


def test_a_page_of_all_keys_costs_no_statement_about_all_of_them() -> None:
    whole, statements = pages(limit=100)
    part, more_statements = pages(limit=20)
    assert (statements, more_statements) == (2, 3)
    assert len(whole.keys) == EVERY
    assert (whole.counts, whole.matching, whole.before) == (part.counts, EVERY, 0)
    assert (part.matching, part.before) == (EVERY, 0)


def test_the_numbers_by_hand() -> None:
    counts = pages(limit=20)[0].counts
    assert counts is not None
    each = len(OLD)
    assert (counts.total, counts.disabled) == (EVERY, 2 * len(ENDS) * each)
    assert (counts.expired, counts.active, counts.expiring) == (2 * each, 4 * each, 2 * each)
    assert counts.old_in_use == 4


@pytest.mark.parametrize("wanted", KeyFilter)
def test_a_filter_finds_as_many_as_it_counts(wanted: KeyFilter) -> None:
    found = pages(limit=100, filter=wanted)[0]
    assert found.counts == pages(limit=100)[0].counts
    assert len(found.keys) == found.matching == getattr(found.counts, wanted.value)
    assert found.before == 0


def test_a_search_counts_what_it_finds_and_still_all() -> None:
    found = pages(limit=100, search="key 0", filter=KeyFilter.ACTIVE)[0]
    assert found.counts == pages(limit=100)[0].counts
    assert [key.name for key in found.keys] == [
        key.name for key in pages(limit=100, filter=KeyFilter.ACTIVE)[0].keys if key.name < "Key 10"
    ]
    assert found.matching == len(found.keys) > 0


def test_what_comes_before_a_page() -> None:
    first = pages(limit=20)[0]
    second = pages(limit=20, cursor=first.next)[0]
    last = pages(limit=100, cursor=second.next)[0]
    assert [page.before for page in (first, second, last)] == [0, 20, 40]
    assert pages(limit=20, cursor=second.previous)[0].before == 0
    assert {page.matching for page in (first, second, last)} == {EVERY}
    assert {page.counts for page in (first, second, last)} == {first.counts}
