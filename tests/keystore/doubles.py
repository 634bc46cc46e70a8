"""Key stores that do what no key store should, and some that can do little."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.checks import Warning as CheckWarning

from portal import clock
from portal.errors import InvalidInput
from portal.keystore.base import (
    IssuedKey,
    Key,
    KeyPage,
    KeyQuery,
    KeyStore,
    NewKey,
    Outcome,
    Owner,
    UsageBucket,
    UsageSummary,
)
from portal.keystore.listing import page_of
from portal.keystore.memory import MemoryKeyStore
from portal.keystore.usage import Usage, Window

#: Seconds that a remote store of these tests may take.
TIME_LIMIT = 0.3


class Puppet(KeyStore):
    """Answers everything with what ``act`` returns, or raises what that raises, as a store elsewhere."""

    time_limit = TIME_LIMIT
    supports_create = supports_update = supports_reroll = supports_grace = supports_revoke = supports_usage = True

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def list_keys(self, *args: Any) -> Any:
        return self.act()

    def get_key(self, *args: Any) -> Any:
        return self.act()

    def create_key(self, *args: Any, **options: Any) -> Any:
        return self.act()

    def update_key(self, *args: Any, **options: Any) -> Any:
        return self.act()

    def reroll_key(self, *args: Any, **options: Any) -> Any:
        return self.act()

    def end_old_secret(self, *args: Any) -> Any:
        return self.act()

    def revoke_key(self, *args: Any) -> Any:
        return self.act()

    def usage(self, *args: Any, **options: Any) -> Any:
        return self.act()

    def usage_summary(self, *args: Any, **options: Any) -> Any:
        return self.act()


class NearPuppet(Puppet):
    """The same in the project's own database."""

    time_limit = None


class RemoteStore(MemoryKeyStore):
    """A store elsewhere, which works unless it is told to fail ``before`` or ``after`` it has done something."""

    time_limit = TIME_LIMIT
    fails = ""

    def create_key(self, *args: Any, **options: Any) -> IssuedKey:
        return self._do(super().create_key, *args, **options)

    def reroll_key(self, *args: Any, **options: Any) -> IssuedKey:
        return self._do(super().reroll_key, *args, **options)

    def _do(self, act: Callable[..., IssuedKey], *args: Any, **options: Any) -> IssuedKey:
        if self.fails == "before":
            raise ConnectionResetError
        answer = act(*args, **options)
        if self.fails == "after":
            time.sleep(2 * TIME_LIMIT)
        return answer


class RowStore(MemoryKeyStore):
    """A store in the project's database: each key is a row of its own."""

    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        issued = super().create_key(owner, new, request_id=request_id)
        Group.objects.create(name=issued.key.id)
        return issued

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        Group.objects.get(name=key_id).delete()


class ReadOnlyStore(KeyStore):
    """Shows keys that others make."""

    time_limit = None

    def __init__(self) -> None:
        self.others = MemoryKeyStore()

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        return self.others.list_keys(owner, query)

    def get_key(self, owner: Owner, key_id: str) -> Key:
        return self.others.get_key(owner, key_id)


class MakingStore(ReadOnlyStore):
    """Makes keys and revokes them, and knows whose its cursors are."""

    supports_create = supports_revoke = True
    gone = 0

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        mark = f"{owner.keyspace_id} {owner.external_id} "
        if query.cursor and not query.cursor.startswith(mark):
            raise InvalidInput("The cursor is another's.")
        page = super().list_keys(owner, replace(query, cursor=query.cursor.removeprefix(mark)))
        return replace(page, next=page.next and mark + page.next, previous=page.previous and mark + page.previous)

    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        return self.others.create_key(owner, new, request_id=request_id)

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        self.others.revoke_key(owner, key_id)
        self.gone += 1

    def purge(self, before: datetime, batch_size: int) -> int:
        deleted = min(batch_size, self.gone)
        self.gone -= deleted
        return deleted


class RotatingStore(ReadOnlyStore):
    """Gives keys that others make new secrets."""

    supports_reroll = supports_grace = True

    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        return self.others.reroll_key(owner, key_id, grace=grace, request_id=request_id)

    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        return self.others.end_old_secret(owner, key_id)


class CountingStore(MemoryKeyStore):
    """Counts uses by the hour, and sorts keys by them."""

    supports_usage = supports_usage_summary = True
    usage_sort_limit = 1000

    def __init__(self) -> None:
        super().__init__()
        self.uses: list[tuple[tuple[str, str], str, datetime]] = []

    def accepts(self, secret: str) -> bool:
        taken = super().accepts(secret)
        if taken:
            self.uses += [
                (whose, key_id, clock.now())
                for whose, keys in self._keys.items()
                for key_id, key in keys.items()
                if secret.startswith(key.start)
            ]
        return taken

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        uses = Counter(
            key_id
            for whose, key_id, moment in self.uses
            if whose == (owner.keyspace_id, owner.external_id)
            and (query.used_since is None or query.used_since <= moment)
        )
        return page_of(self._of(owner).values(), query, uses)

    def usage_summary(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, most: int, since: datetime
    ) -> UsageSummary:
        window = Window(start, end, bucket)
        found = Usage.of(window, self.usage(owner, start, end, bucket=bucket)).summary(most, since)
        buckets = [
            UsageBucket(key_id, window.starts[place], {Outcome.VALID: tally.valid})
            for key_id, tallies in found.keys.items()
            for place, tally in tallies.items()
        ]
        names = {key.id: key.name for key in self._of(owner).values() if key.id in found.keys}
        return UsageSummary(buckets, found.others, names)

    def usage(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, key_ids: Sequence[str] | None = None
    ) -> list[UsageBucket]:
        origin = datetime.min.replace(tzinfo=start.tzinfo)
        counts: dict[tuple[str, datetime], int] = {}
        for whose, key_id, moment in self.uses:
            is_owner = whose == (owner.keyspace_id, owner.external_id)
            if is_owner and start <= moment < end and (key_ids is None or key_id in key_ids):
                place = key_id, moment - (moment - origin) % bucket
                counts[place] = counts.get(place, 0) + 1
        return [UsageBucket(key_id, begins, {Outcome.VALID: count}) for (key_id, begins), count in counts.items()]


class KeptStore(MemoryKeyStore):
    """Deletes what it kept of revoked keys when it is told to, counts how often it is made, and has an opinion."""

    made = 0

    def __init__(self, *, kept: int = 0, opinion: str = "") -> None:
        super().__init__()
        type(self).made += 1
        # So that two threads that both make one meet here.
        time.sleep(0.05)
        self.kept = kept
        self.opinion = opinion
        self.asked: list[tuple[datetime, int]] = []

    def purge(self, before: datetime, batch_size: int) -> int:
        self.asked.append((before, batch_size))
        deleted = min(batch_size, self.kept)
        self.kept -= deleted
        return deleted

    def check(self) -> list[Any]:
        return [CheckWarning(self.opinion, hint="Change it.", id="tests.W001")] if self.opinion else []
