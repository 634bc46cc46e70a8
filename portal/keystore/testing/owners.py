"""Whose keys: nobody reaches another's, and a foreign key answers as an unknown one does."""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.errors import ApiKeyNotFound, InvalidInput
from portal.keystore.base import KeyQuery, KeyStore, Owner

from .hooks import Hooks, new_key, request_id

__all__ = ["OwnerTests"]

_UNKNOWN = ("key_0000000000000000000000", "abc", "0" * 255)

_Act = Callable[[KeyStore, Owner, str], Any]

#: Everything that is done to one key, by what a store supports.
_ACTS: dict[str, tuple[str, _Act]] = {
    "get_key": ("", lambda store, owner, key_id: store.get_key(owner, key_id)),
    "update_key": ("update", lambda store, owner, key_id: store.update_key(owner, key_id, {"name": "Stolen"})),
    "reroll_key": (
        "reroll",
        lambda store, owner, key_id: store.reroll_key(owner, key_id, grace=timedelta(0), request_id=request_id()),
    ),
    "end_old_secret": ("grace", lambda store, owner, key_id: store.end_old_secret(owner, key_id)),
    "revoke_key": ("revoke", lambda store, owner, key_id: store.revoke_key(owner, key_id)),
}


class OwnerTests(Hooks):
    """Keys are their owner's alone."""

    def test_a_list_has_the_owners_keys_alone(self, store: KeyStore, owner: Owner, strangers: list[Owner]) -> None:
        """Another user, and the same id at another portal, see none of them."""
        key, _ = self.make_key(store, owner, new_key())
        for stranger in strangers:
            page = store.list_keys(stranger, KeyQuery(with_counts=True))
            assert page.keys == ()
            assert page.counts is not None
            assert (page.counts.total, page.matching, page.before) == (0, 0, 0)
            theirs, _ = self.make_key(store, stranger, new_key())
            assert [found.id for found in store.list_keys(stranger, KeyQuery()).keys] == [theirs.id]
            assert store.list_keys(stranger, KeyQuery(search=key.start)).keys in {(), (theirs,)}
        assert [found.id for found in store.list_keys(owner, KeyQuery()).keys] == [key.id]

    @pytest.mark.parametrize("act", _ACTS)
    def test_a_foreign_key_answers_as_an_unknown_one(
        self, store: KeyStore, owner: Owner, strangers: list[Owner], act: str
    ) -> None:
        """And nothing is done to it."""
        ability, do = _ACTS[act]
        self.need(store, *filter(None, [ability]))
        key, _ = self.make_key(store, owner, new_key())
        answers = set()
        for stranger in strangers:
            for key_id in (key.id, *_UNKNOWN):
                with pytest.raises(ApiKeyNotFound) as caught:
                    do(store, stranger, key_id)
                answers.add((str(caught.value), tuple(caught.value.headers)))
        assert len(answers) == 1
        assert store.get_key(owner, key.id) == key

    def test_a_cursor_leads_nobody_to_foreign_keys(self, store: KeyStore, owner: Owner, strangers: list[Owner]) -> None:
        """A cursor is no credential: a stranger's query with it is refused, or finds the stranger's own."""
        for name in ("one", "two", "three"):
            self.make_key(store, owner, new_key(name))
        cursor = store.list_keys(owner, KeyQuery(limit=1)).next
        assert cursor
        for stranger in strangers:
            key, _ = self.make_key(store, stranger, new_key())
            try:
                found = store.list_keys(stranger, KeyQuery(cursor=cursor)).keys
            except InvalidInput:
                continue
            assert {one.id for one in found} <= {key.id}
