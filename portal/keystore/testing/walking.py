"""Going through the pages of a list."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from dataclasses import replace

from portal.keystore.base import KeyPage, KeyQuery, KeyStore, Owner

from .hooks import Hooks

__all__ = ["LIMIT", "Walking"]

#: Keys on a page, where nothing is said.
LIMIT = 5


class Walking(Hooks):
    """For tests of several pages."""

    def walk(self, store: KeyStore, owner: Owner, query: KeyQuery, ids: list[str]) -> None:
        """Go through all pages and back, and compare with ``ids``."""
        seen, cursor = list[str](), ""
        while True:
            page = self.page(store, owner, cursor, query)
            assert (page.matching, page.before) == (len(ids), len(seen))
            assert bool(page.previous) == bool(seen)
            seen += [key.id for key in page.keys]
            assert len(page.keys) == query.limit or not page.next
            if not page.next:
                break
            cursor = page.next
        assert seen == ids
        back = [key.id for key in page.keys]
        while page.previous:
            page = self.page(store, owner, page.previous, query)
            assert page.keys
            assert page.next
            back = [*(key.id for key in page.keys), *back]
            assert page.before == len(ids) - len(back)
        assert back == ids

    def page(self, store: KeyStore, owner: Owner, cursor: str, query: KeyQuery | None = None) -> KeyPage:
        """Return another page of ``query``; of the newest keys, if it is left out."""
        return store.list_keys(owner, replace(query or KeyQuery(limit=LIMIT), cursor=cursor))
