"""What a list shows: filters, search, order and counts."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.keystore.base import Key, KeyFilter, KeyQuery, KeySort, KeyStore, Owner

from .hooks import new_key
from .stock import SORTS, StockedTests

__all__ = ["ListingTests", "sort_value"]

_LAST = datetime.max.replace(tzinfo=UTC)


def sort_value(key: Key, sort: KeySort) -> Any:
    """Return what a list in the order ``sort`` goes by."""
    member = sort.removeprefix("-")
    if member == "name":
        return key.name.lower()
    return key.created_at if member == "created" else key.expires_at or _LAST


class ListingTests(StockedTests):
    """Lists of one page."""

    def test_an_owner_without_keys(self, store: KeyStore, owner: Owner) -> None:
        """An empty page, whatever is asked."""
        for wanted in (None, *KeyFilter):
            page = store.list_keys(owner, KeyQuery(filter=wanted, search="x", with_counts=True))
            assert (page.keys, page.next, page.previous, page.matching, page.before) == ((), "", "", 0, 0)
            assert page.counts is not None
            assert set(asdict(page.counts).values()) == {0}

    def test_a_list_has_every_key_once_as_get_shows_it(self, store: KeyStore, owner: Owner) -> None:
        """The newest first, when nothing is said, and nothing is counted that was not asked for."""
        stock = self.stock(store, owner)
        with self.at(stock.now):
            page = store.list_keys(owner, KeyQuery())
        assert page.keys == stock.keys[::-1]
        assert (page.next, page.previous) == ("", "")
        assert (page.counts, page.matching, page.before) == (None, None, None)

    def test_filters(self, store: KeyStore, owner: Owner) -> None:
        """Each shows the keys that are so at the moment, and the counts say how many, whatever is filtered."""
        stock = self.stock(store, owner)
        counts = {wanted.value: len(names) for wanted, names in stock.shown.items()}
        for wanted in KeyFilter:
            with self.at(stock.now):
                page = store.list_keys(owner, KeyQuery(filter=wanted, sort="created", with_counts=True))
            assert [key.id for key in page.keys] == stock.named(stock.shown[wanted]), wanted
            assert page.matching == len(stock.shown[wanted])
            assert page.counts is not None
            assert asdict(page.counts) == {"total": len(stock.keys), **counts}

    @pytest.mark.parametrize(
        ("search", "names"),
        [
            ("server", {"build_server", "build-server"}),
            ("SERVER", {"build_server", "build-server"}),
            ("laptop", {"laptop"}),
            ("d_s", {"build_server"}),
            ("0%", {"sync 50% off"}),
            ("off", {"sync 50% off", "off and over"}),
            ("\\", set()),
            ("'", set()),
            ("no such key", set()),
        ],
    )
    def test_search_by_name(self, store: KeyStore, owner: Owner, search: str, names: set[str]) -> None:
        """By any part of it, in upper or lower case, and no character is a wildcard."""
        stock = self.stock(store, owner)
        with self.at(stock.now):
            page = store.list_keys(owner, KeyQuery(search=search, sort="created", with_counts=True))
        assert [key.id for key in page.keys] == stock.named(names)
        assert page.matching == len(names)
        assert page.counts is not None
        assert page.counts.total == len(stock.keys)

    def test_search_by_the_beginning_of_a_secret(self, store: KeyStore, owner: Owner) -> None:
        """As far as the start is shown, in upper or lower case, and not by a part in the middle of it."""
        first, _ = self.make_key(store, owner, new_key("one"))
        self.make_key(store, owner, new_key("two"))
        for search in (first.start, first.start.upper(), first.start[:3]):
            found = store.list_keys(owner, KeyQuery(search=search)).keys
            assert first in found, search
            assert all(key.start.lower().startswith(search.lower()) for key in found), search
        middle = first.start[1:].lower()
        found = store.list_keys(owner, KeyQuery(search=middle)).keys
        assert all(key.start.lower().startswith(middle) for key in found)

    def test_search_and_filter_together(self, store: KeyStore, owner: Owner) -> None:
        """A key must be found by both."""
        stock = self.stock(store, owner)
        for wanted in KeyFilter:
            names = {name for name in stock.shown[wanted] if "off" in name}
            with self.at(stock.now):
                page = store.list_keys(owner, KeyQuery(filter=wanted, search="off", sort="created", with_counts=True))
            assert [key.id for key in page.keys] == stock.named(names), wanted
            assert page.matching == len(names)

    @pytest.mark.parametrize("sort", SORTS)
    def test_order(self, store: KeyStore, owner: Owner, sort: KeySort) -> None:
        """Keys without an end end last."""
        stock = self.stock(store, owner)
        with self.at(stock.now):
            keys = store.list_keys(owner, KeyQuery(sort=sort)).keys
        assert {key.id for key in keys} == {key.id for key in stock.keys}
        values = [sort_value(key, sort) for key in keys]
        assert values == sorted(values, reverse=sort.startswith("-"))
