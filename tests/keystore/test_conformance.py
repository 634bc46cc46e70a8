"""The conformance tests find what is wrong with a store: each of these breaks one promise."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal import clock
from portal.errors import PortalError
from portal.keystore.base import IssuedKey, Key, KeyPage, KeyQuery, OldSecret, Owner
from portal.keystore.memory import MemoryKeyStore

from .test_memory import TestMemoryKeyStore as Suite

#: How a test fails: by what it looks at, for want of a refusal, and by one that should not have come.
FOUND = (AssertionError, pytest.fail.Exception, PortalError)


def run(store: MemoryKeyStore, name: str, **parameters: Any) -> None:
    """Run one test of the suite on ``store``."""
    suite = Suite()
    # The store is given, so the fixtures that make owners are asked directly.
    policy: dict[str, Any] = {"key_limit": None, "key_permissions": ["maps.read", "maps.write"]}
    values = {
        "store": store,
        "external_id": "user_1",
        "owner": suite.make_owner("user_1", **policy),
        "strangers": [
            suite.make_owner("user_2", **policy),
            suite.make_owner("user_1", other_portal=True, **policy),
        ],
        **parameters,
    }
    test: Callable[..., None] = getattr(suite, name)
    test(**{parameter: values[parameter] for parameter in inspect.signature(test).parameters})


class ForgetsThePortal(MemoryKeyStore):
    def _of(self, owner: Owner) -> dict[str, Key]:
        return self._keys.setdefault(("", owner.external_id), {})


class ForgetsTheUser(MemoryKeyStore):
    def _of(self, owner: Owner) -> dict[str, Key]:
        return self._keys.setdefault((owner.keyspace_id, ""), {})


class FindsForeignKeys(MemoryKeyStore):
    def _find(self, owner: Owner, key_id: str) -> Key:
        for keys in self._keys.values():
            if key_id in keys:
                return keys[key_id]
        return super()._find(owner, key_id)


class KeepsNoRequests(MemoryKeyStore):
    def _refuse_a_repeat(self, owner: Owner, act: str, request_id: str) -> None:
        pass


class MixesRequestsUp(MemoryKeyStore):
    def _refuse_a_repeat(self, owner: Owner, act: str, request_id: str) -> None:
        super()._refuse_a_repeat(Owner(owner.config, "all"), act, request_id)

    def _accept(self, owner: Owner, key: Key, secret: str, act: str, request_id: str) -> None:
        super()._accept(owner, key, secret, act, request_id)
        self._requests[((owner.keyspace_id, "all"), act, request_id)] = key.id


class TakesNamesTwice(MemoryKeyStore):
    def _refuse_a_taken_name(self, owner: Owner, name: str, but_for: str = "") -> None:
        pass


class HasNoLimit(MemoryKeyStore):
    def create_key(self, owner: Owner, *args: Any, **options: Any) -> IssuedKey:
        unlimited = Owner(type(owner.config)(keyspace_id=owner.keyspace_id, key_limit=None), owner.external_id)
        return super().create_key(unlimited, *args, **options)


class LooksAtNoVersion(MemoryKeyStore):
    def update_key(self, *args: Any, version: str = "", **options: Any) -> Key:
        return super().update_key(*args, **options)


class HasOneVersion(MemoryKeyStore):
    def _put(self, owner: Owner, key: Key) -> Key:
        self._of(owner)[key.id] = key
        return key


class ChangesTheId(MemoryKeyStore):
    def reroll_key(self, *args: Any, **options: Any) -> IssuedKey:
        key, secret = super().reroll_key(*args, **options)
        return IssuedKey(replace(key, id=f"{key.id}_2"), secret)


class IsLateByAMillisecond(MemoryKeyStore):
    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        return super().reroll_key(owner, key_id, grace=grace + timedelta(milliseconds=1), request_id=request_id)


class EndsNoOldSecret(MemoryKeyStore):
    def _secrets_of(self, key_id: str) -> Any:
        # All but the latest, which alone a rotation ends: what was old before it stays.
        return [secret for secret in self._secrets.values() if secret.key_id == key_id and secret.ends_at is None]


class KeepsRevokedSecrets(MemoryKeyStore):
    def revoke_key(self, owner: Owner, key_id: str) -> None:
        kept = dict(self._secrets)
        super().revoke_key(owner, key_id)
        self._secrets = kept

    def accepts(self, secret: str) -> bool:
        found = [kept for kept in self._secrets.values() if kept.key_id not in self._keys[kept.whose]]
        return bool(found) or super().accepts(secret)


class IgnoresLocks(MemoryKeyStore):
    def _changeable(self, owner: Owner, key_id: str) -> Key:
        return self._find(owner, key_id)


class AcceptsLockedKeys(MemoryKeyStore):
    def accepts(self, secret: str) -> bool:
        return secret.startswith("sk_")


class ShowsSecrets(MemoryKeyStore):
    def create_key(self, *args: Any, **options: Any) -> IssuedKey:
        key, secret = super().create_key(*args, **options)
        return IssuedKey(replace(key, start=secret), secret)


class ShowsEndedSecrets(MemoryKeyStore):
    def _shown(self, key: Key) -> Key:
        return key


class PagesByNumber(MemoryKeyStore):
    """Its cursor is a count of keys, so what happens between two pages moves them."""

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        whole = super().list_keys(owner, replace(query, cursor="", limit=100))
        start = int(query.cursor or 0)
        end = start + query.limit
        return replace(
            whole,
            keys=whole.keys[start:end],
            next=str(end) if end < len(whole.keys) else "",
            previous=str(max(0, start - query.limit)) if start else "",
            before=start if query.with_counts else None,
        )


class CountsWhatItFilters(MemoryKeyStore):
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        page = super().list_keys(owner, query)
        return page if page.counts is None else replace(page, counts=replace(page.counts, total=page.matching or 0))


class SearchesNamesAsWritten(MemoryKeyStore):
    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        page = super().list_keys(owner, query)
        return replace(page, keys=tuple(key for key in page.keys if query.search in key.name))


class RotatesAnything(MemoryKeyStore):
    def reroll_key(self, owner: Owner, key_id: str, **options: Any) -> IssuedKey:
        key = self._find(owner, key_id)
        self._of(owner)[key_id] = replace(key, enabled=True, expires_at=None)
        return super().reroll_key(owner, key_id, **options)


class InventsAnOldSecret(MemoryKeyStore):
    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        return replace(super().end_old_secret(owner, key_id), old_secret=OldSecret("sk_", clock.now()))


class RefusesByTheClockOfItsOwn(MemoryKeyStore):
    def accepts(self, secret: str) -> bool:
        with clock.using(lambda: datetime.now(UTC)):
            return super().accepts(secret)


WRONG: list[tuple[type[MemoryKeyStore], str, dict[str, Any]]] = [
    (ForgetsThePortal, "test_a_list_has_the_owners_keys_alone", {}),
    (ForgetsTheUser, "test_a_list_has_the_owners_keys_alone", {}),
    *(
        (FindsForeignKeys, "test_a_foreign_key_answers_as_an_unknown_one", {"act": act})
        for act in (
            "get_key",
            "update_key",
            "reroll_key",
            "end_old_secret",
        )
    ),
    (KeepsNoRequests, "test_a_request_makes_one_key", {}),
    (KeepsNoRequests, "test_a_request_makes_one_key_though_it_is_revoked", {}),
    (KeepsNoRequests, "test_a_request_rotates_once", {}),
    (MixesRequestsUp, "test_requests_of_different_owners_are_different", {}),
    (TakesNamesTwice, "test_a_name_is_taken_once_an_owner", {}),
    (TakesNamesTwice, "test_a_taken_name_changes_nothing", {}),
    (HasNoLimit, "test_the_limit_counts_disabled_and_expired_keys", {}),
    (LooksAtNoVersion, "test_another_version_changes_nothing", {}),
    (HasOneVersion, "test_each_change_gives_another_version", {}),
    (HasOneVersion, "test_one_member_changes_alone", {"member": "name"}),
    (ChangesTheId, "test_a_rotation_changes_the_secret_and_nothing_else", {}),
    (IsLateByAMillisecond, "test_grace_ends_to_the_second", {}),
    (IsLateByAMillisecond, "test_without_grace_the_old_secret_ends_at_once", {}),
    (IsLateByAMillisecond, "test_the_key_says_when_its_old_secret_ends", {}),
    (EndsNoOldSecret, "test_a_key_has_two_secrets_at_most", {}),
    (EndsNoOldSecret, "test_an_old_secret_that_ended_early_is_refused", {}),
    (KeepsRevokedSecrets, "test_a_revoked_key_is_refused", {}),
    (KeepsRevokedSecrets, "test_a_revoked_keys_old_secret_is_refused", {}),
    (IgnoresLocks, "test_a_locked_key_is_not_changed", {}),
    (IgnoresLocks, "test_a_locked_key_is_not_rotated", {}),
    (IgnoresLocks, "test_a_locked_keys_old_secret_is_not_ended", {}),
    (IgnoresLocks, "test_a_locked_key_is_not_revoked", {}),
    (AcceptsLockedKeys, "test_a_locked_key_is_refused", {}),
    (AcceptsLockedKeys, "test_a_disabled_key_is_refused_until_it_is_enabled", {}),
    (AcceptsLockedKeys, "test_a_new_secret_opens_the_api", {}),
    (ShowsSecrets, "test_a_secret_is_in_nothing_but_the_answer", {}),
    (ShowsSecrets, "test_a_new_key_is_in_list_and_get", {}),
    (ShowsEndedSecrets, "test_the_key_says_when_its_old_secret_ends", {}),
    (PagesByNumber, "test_a_cursor_outlives_its_key", {}),
    (PagesByNumber, "test_a_new_key_moves_no_page", {}),
    (CountsWhatItFilters, "test_filters", {}),
    (SearchesNamesAsWritten, "test_search_by_name", {"search": "SERVER", "names": {"build_server", "build-server"}}),
    (SearchesNamesAsWritten, "test_search_by_the_beginning_of_a_secret", {}),
    (RotatesAnything, "test_a_disabled_key_is_not_rotated", {}),
    (RotatesAnything, "test_an_expired_key_is_not_rotated", {}),
    (InventsAnOldSecret, "test_an_old_secret_can_end_early", {}),
    (RefusesByTheClockOfItsOwn, "test_a_key_is_refused_from_its_end_on", {}),
]


@pytest.mark.parametrize(("wrong", "name", "parameters"), WRONG, ids=[f"{row[0].__name__}-{row[1]}" for row in WRONG])
def test_it_finds_what_is_wrong(wrong: type[MemoryKeyStore], name: str, parameters: dict[str, Any]) -> None:
    run(MemoryKeyStore(), name, **parameters)
    with pytest.raises(FOUND):
        run(wrong(), name, **parameters)
