"""Pages: nothing twice, nothing left out, whatever happens between two of them."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

import pytest

from portal.errors import InvalidInput
from portal.keystore.base import KeyFilter, KeyPage, KeyQuery, KeySort, KeyStore, Owner

from .hooks import new_key
from .stock import SORTS, StockedTests
from .walking import LIMIT, Walking

__all__ = ["PagingTests"]


class PagingTests(StockedTests, Walking):
    """Lists of several pages."""

    @pytest.mark.parametrize("sort", SORTS)
    def test_forwards_and_back(self, store: KeyStore, owner: Owner, sort: KeySort) -> None:
        """Both ways the pages are the whole list in its order, with equal values too, and know their place."""
        stock = self.stock(store, owner)
        with self.at(stock.now):
            whole = store.list_keys(owner, KeyQuery(sort=sort)).keys
            self.walk(store, owner, KeyQuery(limit=LIMIT, sort=sort, with_counts=True), [key.id for key in whole])

    @pytest.mark.parametrize(("wanted", "search"), [(KeyFilter.ACTIVE, ""), (None, "r"), (KeyFilter.ACTIVE, "i")])
    def test_pages_of_what_is_found(self, store: KeyStore, owner: Owner, wanted: KeyFilter | None, search: str) -> None:
        """Filter and search hold on every page."""
        stock = self.stock(store, owner)
        names = {key.name for key in stock.keys if search in key.name or key.start.lower().startswith(search)}
        ids = stock.named(names & stock.shown[wanted] if wanted else names)
        assert len(ids) > 2
        query = KeyQuery(limit=2, filter=wanted, search=search, sort="created", with_counts=True)
        with self.at(stock.now):
            self.walk(store, owner, query, ids)

    def test_a_full_last_page_is_the_last(self, store: KeyStore, owner: Owner) -> None:
        """There is no empty one behind it."""
        stock = self.stock(store, owner)
        with self.at(stock.now):
            page = store.list_keys(owner, KeyQuery(limit=len(stock.keys)))
            assert (len(page.keys), page.next, page.previous) == (len(stock.keys), "", "")
            page = store.list_keys(owner, KeyQuery(limit=len(stock.keys) - 1))
            assert page.next
            page = store.list_keys(owner, KeyQuery(limit=len(stock.keys) - 1, cursor=page.next))
            assert [key.id for key in page.keys] == [stock.keys[0].id]
            assert page.next == ""

    def test_a_cursor_outlives_its_key(self, store: KeyStore, owner: Owner) -> None:
        """When keys are revoked between two pages, the rest is shown, none of it twice."""
        self.need(store, "revoke")
        stock = self.stock(store, owner)
        with self.at(stock.now):
            first, second = self.two_pages(store, owner)
            for key in (first.keys[-1], second.keys[0]):
                store.revoke_key(owner, key.id)
            again = self.page(store, owner, first.next)
            assert [key.id for key in again.keys][: LIMIT - 1] == [key.id for key in second.keys[1:]]
            back = self.page(store, owner, second.previous)
            assert [key.id for key in back.keys] == [key.id for key in first.keys[:-1]]

    def test_a_new_key_moves_no_page(self, store: KeyStore, owner: Owner) -> None:
        """It belongs before the page, and the page is the same."""
        stock = self.stock(store, owner)
        with self.at(stock.now):
            first, second = self.two_pages(store, owner)
            self.make_key(store, owner, new_key("brand new"))
            assert self.page(store, owner, first.next).keys == second.keys

    def test_a_page_whose_keys_are_gone_is_empty(self, store: KeyStore, owner: Owner) -> None:
        """And the last; the keys before it are not shown again."""
        self.need(store, "revoke")
        ids = [self.make_key(store, owner, new_key(name)).key.id for name in ("a", "b", "c")]
        query = KeyQuery(limit=2, sort="name", with_counts=True)
        cursor = store.list_keys(owner, query).next
        store.revoke_key(owner, ids[2])
        page = self.page(store, owner, cursor, query)
        assert (page.keys, page.next, page.matching, page.before) == ((), "", 2, 2)

    @pytest.mark.parametrize("cursor", ["junk", "!", "ключ", "\x00", "W10", "bnVsbA", "eyJhIjoxfQ", "A" * 512])
    def test_junk_is_no_cursor(self, store: KeyStore, owner: Owner, cursor: str) -> None:
        """Also where there is no key, and it is never the first page."""
        for _ in range(2):
            with pytest.raises(InvalidInput) as caught:
                store.list_keys(owner, KeyQuery(cursor=cursor))
            assert cursor not in str(caught.value)
            self.make_key(store, owner, new_key())
            owner = self.make_owner(f"{owner.external_id}_b", key_limit=None)

    def two_pages(self, store: KeyStore, owner: Owner) -> tuple[KeyPage, KeyPage]:
        """Return the first two pages of the newest keys."""
        first = self.page(store, owner, "")
        return first, self.page(store, owner, first.next)
