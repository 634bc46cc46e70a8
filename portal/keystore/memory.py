"""A key store in the memory of one process: for tests and for trying things out. It forgets everything when it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.views.decorators.debug import sensitive_variables

from portal import clock, tokens
from portal.errors import (
    ApiKeyNotFound,
    KeyAlreadyCreated,
    KeyChangedMeanwhile,
    KeyLimitReached,
    KeyLocked,
    KeyNameTaken,
    KeyNotActive,
)

from .base import IssuedKey, Key, KeyChanges, KeyPage, KeyQuery, KeyState, KeyStore, NewKey, OldSecret, Owner
from .listing import page_of

__all__ = ["MemoryKeyStore"]

_Whose = tuple[str, str]


@dataclass(slots=True)
class _Secret:
    whose: _Whose
    key_id: str
    ends_at: datetime | None = None


class MemoryKeyStore(KeyStore):
    """Keeps keys in dictionaries, under one lock."""

    time_limit = None
    supports_create = True
    supports_update = True
    supports_reroll = True
    supports_grace = True
    supports_revoke = True
    supports_permissions = True

    def __init__(self) -> None:
        self._keys: dict[_Whose, dict[str, Key]] = {}
        self._secrets: dict[bytes, _Secret] = {}
        self._requests: dict[tuple[_Whose, str, str], str] = {}
        self._lock = threading.RLock()

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        """Return a page of the owner's keys."""
        with self._lock:
            return page_of([self._shown(key) for key in self._of(owner).values()], query)

    def get_key(self, owner: Owner, key_id: str) -> Key:
        """Return one of the owner's keys."""
        with self._lock:
            return self._shown(self._find(owner, key_id))

    @sensitive_variables("secret")
    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        """Make a key."""
        with self._lock:
            self._refuse_a_repeat(owner, "", request_id)
            keys, limit = self._of(owner), owner.config.key_limit
            if limit is not None and len(keys) >= limit:
                raise KeyLimitReached(limit)
            self._refuse_a_taken_name(owner, new.name)
            secret = tokens.mint_api_key(owner.config.key_prefix)
            key = Key(
                id=tokens.public_id(tokens.API_KEY_ID),
                start=tokens.api_key_start(secret),
                name=new.name,
                created_at=clock.now(),
                expires_at=new.expires_at,
                permissions=new.permissions,
                version="1",
            )
            keys[key.id] = key
            self._accept(owner, key, secret, "", request_id)
            return IssuedKey(key, secret)

    def update_key(self, owner: Owner, key_id: str, changes: KeyChanges, *, version: str = "") -> Key:
        """Change a key."""
        with self._lock:
            key = self._changeable(owner, key_id)
            if version and version != key.version:
                raise KeyChangedMeanwhile
            if "name" in changes:
                self._refuse_a_taken_name(owner, changes["name"], key_id)
            return self._shown(self._put(owner, replace(key, **changes)))

    @sensitive_variables("secret")
    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        """Give a key a new secret."""
        with self._lock:
            key = self._changeable(owner, key_id)
            self._refuse_a_repeat(owner, key_id, request_id)
            now = clock.now()
            if key.state(now) is not KeyState.ACTIVE:
                raise KeyNotActive
            for old in self._secrets_of(key_id):
                old.ends_at = now + grace if old.ends_at is None else min(old.ends_at, now)
            secret = tokens.mint_api_key(owner.config.key_prefix)
            old_secret = OldSecret(key.start, now + grace) if grace else None
            key = self._put(owner, replace(key, start=tokens.api_key_start(secret), old_secret=old_secret))
            self._accept(owner, key, secret, key_id, request_id)
            return IssuedKey(self._shown(key), secret)

    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        """End the old secret now."""
        with self._lock:
            key = self._shown(self._changeable(owner, key_id))
            if key.old_secret is None:
                return key
            now = clock.now()
            for old in self._secrets_of(key_id):
                old.ends_at = None if old.ends_at is None else min(old.ends_at, now)
            return self._put(owner, replace(key, old_secret=None))

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        """Forget the key and its secrets."""
        with self._lock:
            key = self._changeable(owner, key_id)
            del self._of(owner)[key.id]
            self._secrets = {digest: old for digest, old in self._secrets.items() if old.key_id != key_id}

    def lock(self, owner: Owner, key_id: str, *, locked: bool = True) -> None:
        """Lock or unlock a key, as an operator would."""
        with self._lock:
            self._put(owner, replace(self._find(owner, key_id), locked=locked))

    def accepts(self, secret: str) -> bool:
        """Say whether ``secret`` opens the host's API now; if so, the key was used."""
        with self._lock:
            found, now = self._secrets.get(tokens.digest(secret)), clock.now()
            if found is None or (found.ends_at is not None and found.ends_at <= now):
                return False
            key = self._keys[found.whose][found.key_id]
            if key.state(now) is not KeyState.ACTIVE:
                return False
            old = key.old_secret
            if old is not None and found.ends_at is not None:
                old = replace(old, in_use=True)
            self._keys[found.whose][found.key_id] = replace(key, last_used_at=now, old_secret=old)
            return True

    def _of(self, owner: Owner) -> dict[str, Key]:
        return self._keys.setdefault((owner.keyspace_id, owner.external_id), {})

    def _find(self, owner: Owner, key_id: str) -> Key:
        try:
            return self._of(owner)[key_id]
        except KeyError:
            raise ApiKeyNotFound from None

    def _changeable(self, owner: Owner, key_id: str) -> Key:
        key = self._find(owner, key_id)
        if key.locked:
            raise KeyLocked
        return key

    def _secrets_of(self, key_id: str) -> Iterator[_Secret]:
        return (secret for secret in self._secrets.values() if secret.key_id == key_id)

    def _shown(self, key: Key) -> Key:
        over = key.old_secret is not None and key.old_secret.ends_at <= clock.now()
        return replace(key, old_secret=None) if over else key

    def _put(self, owner: Owner, key: Key) -> Key:
        key = replace(key, updated_at=clock.now(), version=str(int(key.version) + 1))
        self._of(owner)[key.id] = key
        return key

    def _accept(self, owner: Owner, key: Key, secret: str, act: str, request_id: str) -> None:
        whose = (owner.keyspace_id, owner.external_id)
        self._secrets[tokens.digest(secret)] = _Secret(whose, key.id)
        self._requests[(whose, act, request_id)] = key.id

    def _refuse_a_repeat(self, owner: Owner, act: str, request_id: str) -> None:
        if key_id := self._requests.get(((owner.keyspace_id, owner.external_id), act, request_id)):
            raise KeyAlreadyCreated(key_id)

    def _refuse_a_taken_name(self, owner: Owner, name: str, but_for: str = "") -> None:
        if any(key.name == name and key.id != but_for for key in self._of(owner).values()):
            raise KeyNameTaken
