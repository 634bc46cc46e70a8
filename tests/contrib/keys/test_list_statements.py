"""The fixed statements of a list find what the ORM does, for every filter, search and order, on every page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Lower

from portal.contrib.keys.models import ApiKey
from portal.contrib.keys.store import DatabaseKeyStore
from portal.keystore.base import Key, KeyFilter, KeyPage, KeyQuery, KeySort
from portal.keystore.listing import LAST, filters_of
from tests.contrib.keys.test_list_counts import ENDS, HOUR, NOW, OWNER, every_key

__all__ = ["every_key"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_key", "odd_names")]

SORTS = {"created": F("created_at"), "name": Lower("name"), "expires": Coalesce("expires_at", LAST)}
#: The last of them find nothing, or what stands for any text in LIKE.
SEARCHES = ("", "KEY 0", "sk_A", "bcd", "100%", "_ö", "\\", "'", "  key ", "zzz")
NAMES = ("100% Ö", "100 Ö_öl", "back\\slash", "it's :name %(now)s", "ähnlich", "Zebra", "zebra 2")
LIMIT = 20


@pytest.fixture
def odd_names() -> None:
    """Give the owner keys whose names hold what means something in SQL, some of them made at the same moment."""
    for number, name in enumerate(NAMES):
        ApiKey.objects.create(
            keyspace_id=OWNER.keyspace_id,
            external_id=OWNER.external_id,
            name=name,
            start="live_%" if number % 2 else "sk_ABC",
            expires_at=ENDS[number % len(ENDS)],
            permissions=["maps.read", "ä \" ' \\"],
            metadata={"team": {"ä": [1, None, True]}},
            rate_limit=7 if number % 2 else None,
            created_at=NOW - number // 3 * HOUR,
            updated_at=NOW,
            last_used_at=NOW - HOUR,
        )


def expected(sort: str, wanted: KeyFilter | None, search: str) -> list[Key]:
    """Return the keys by the ORM, and filtered by what the protocol says of a single one."""
    order, text, store = "-" if sort.startswith("-") else "", search.strip(), DatabaseKeyStore()
    rows = ApiKey.objects.owned_by(OWNER.keyspace_id, OWNER.external_id)
    rows = rows.filter(Q(name__icontains=text) | Q(start__istartswith=text))
    rows = rows.annotate(by=SORTS[sort.removeprefix("-")]).order_by(f"{order}by", f"{order}pk")
    keys = [store.get_key(OWNER, row.public_id) for row in rows]
    return [key for key in keys if wanted is None or wanted in filters_of(key, NOW)]


def walk(query: dict[str, Any], link: str, cursor: str = "") -> Iterator[KeyPage]:
    """Return the page at ``cursor`` and all that its ``next`` or ``previous`` lead to."""
    while True:
        page = DatabaseKeyStore().list_keys(OWNER, KeyQuery(LIMIT, cursor, with_counts=True, **query))
        yield page
        cursor = getattr(page, link)
        if not cursor:
            return


def assert_pages(query: dict[str, Any], keys: list[Key]) -> None:
    """Walk to the end of the list and back, and find ``keys`` both times."""
    there = list(walk(query, "next"))
    assert [key for page in there for key in page.keys] == keys
    assert [page.before for page in there] == list(range(0, max(len(keys), 1), LIMIT))
    assert {page.matching for page in there} == {len(keys)}
    if there[-1].previous:
        back = list(walk(query, "previous", there[-1].previous))
        assert [page.keys for page in reversed(back)] == [page.keys for page in there[:-1]]
        assert [page.before for page in reversed(back)] == [page.before for page in there[:-1]]


@pytest.mark.parametrize("wanted", [None, *KeyFilter])
@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_each_filter_in_each_order(sort: KeySort, wanted: KeyFilter | None) -> None:
    keys = expected(sort, wanted, "")
    assert keys
    assert_pages({"sort": sort, "filter": wanted}, keys)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("wanted", [None, KeyFilter.EXPIRING])
def test_each_search(search: str, wanted: KeyFilter | None) -> None:
    assert_pages({"search": search, "filter": wanted, "sort": "-name"}, expected("-name", wanted, search))


def test_the_searches_find_what_they_say() -> None:
    found = {search: {key.name for key in expected("name", None, search)} for search in SEARCHES}
    assert found["100%"] == {"100% Ö"}
    assert found["\\"] == {"back\\slash"}
    assert found["zzz"] == found["bcd"] == set()
    assert len(found["KEY 0"]) == 10


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_whose_keys_are_gone_says_how_many_came_before_it(descending: bool) -> None:
    sort: KeySort = "-expires" if descending else "expires"
    keys = expected(sort, None, "")
    first = next(walk({"sort": sort}, "next"))
    ApiKey.objects.filter(public_id__in=[key.id for key in keys[LIMIT:]]).delete()
    gone = next(walk({"sort": sort}, "next", first.next))
    assert (gone.keys, gone.before, gone.matching, gone.next, gone.previous) == ((), LIMIT, LIMIT, "", "")


def test_nothing_comes_before_a_page_back_whose_keys_are_gone() -> None:
    keys = expected("name", None, "")
    *_, last = walk({"sort": "name"}, "next")
    ApiKey.objects.filter(public_id__in=[key.id for key in keys if key not in last.keys]).delete()
    gone = next(walk({"sort": "name"}, "previous", last.previous))
    assert (gone.keys, gone.before, gone.matching) == ((), 0, len(last.keys))
