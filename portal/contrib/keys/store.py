"""The key store of this app: what the portal asks, in the words of the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import router, transaction
from django.db.models import Exists, OuterRef
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
    PortalError,
)
from portal.keystore.base import (
    IssuedKey,
    Key,
    KeyChanges,
    KeyPage,
    KeyQuery,
    KeyStore,
    NewKey,
    Owner,
    UsageBucket,
    UsageSummary,
)
from portal.models import PortalEvent

from .listing import USAGE_SORT_LIMIT, list_page, page_by_usage
from .models import ApiKey, KeyOwner, KeySecret, KeyUsage
from .models.api_key import ApiKeyQuerySet
from .models.usage import KeyUsageQuerySet
from .rows import to_keys
from .usage import to_buckets, to_summary
from .usage_rollup import delete_usage_of, roll_up

__all__ = ["DatabaseKeyStore"]


class DatabaseKeyStore(KeyStore):
    """Keeps keys in the project's database, in the transaction of whoever asks."""

    time_limit = None
    supports_create = True
    supports_update = True
    supports_reroll = True
    supports_grace = True
    supports_revoke = True
    supports_permissions = True
    supports_usage = True
    supports_usage_summary = True
    usage_sort_limit = USAGE_SORT_LIMIT

    def __init_subclass__(cls, **options: Any) -> None:
        """Let a subclass that tells usage from elsewhere do no more of it than it says: the table may hold none.

        ``usage`` may come from another base of it, and so may what it says.
        """
        super().__init_subclass__(**options)
        if cls.usage is DatabaseKeyStore.usage:
            return
        if cls.usage_summary is DatabaseKeyStore.usage_summary:
            cls.supports_usage_summary = False
        between = cls.__mro__[: cls.__mro__.index(DatabaseKeyStore)]
        if not any("usage_sort_limit" in vars(base) for base in between):
            cls.usage_sort_limit = 0

    def list_keys(self, owner: Owner, query: KeyQuery) -> KeyPage:
        """Return a page of the owner's keys; three statements at most, two without counts, however many keys there are."""
        if query.by_usage:
            return page_by_usage(self._rows(owner), query)
        return list_page(self._using(), owner.keyspace_id, owner.external_id, query)

    def get_key(self, owner: Owner, key_id: str) -> Key:
        """Return one of the owner's keys; two statements."""
        rows = list(self._rows(owner).filter(public_id=key_id))
        if not rows:
            raise ApiKeyNotFound
        return to_keys(rows, self._using())[0]

    @sensitive_variables("secret")
    def create_key(self, owner: Owner, new: NewKey, *, request_id: str) -> IssuedKey:
        """Make a key."""
        # From the request's name: a second request of it would be the same row.
        key_id = tokens.API_KEY_ID + tokens.base62(int.from_bytes(_digest(owner, "", request_id)[:16]), 22)
        with self._atomic():
            self._claim_name(owner, new.name, key_id=key_id, limit=owner.config.key_limit)
            key, secret = self._objects().issue(
                owner.config.key_prefix,
                public_id=key_id,
                keyspace_id=owner.keyspace_id,
                external_id=owner.external_id,
                name=new.name,
                expires_at=new.expires_at,
                permissions=list(new.permissions),
            )
        return IssuedKey(to_keys([key], self._using())[0], secret)

    def update_key(self, owner: Owner, key_id: str, changes: KeyChanges, *, version: str = "") -> Key:
        """Change a key."""
        fields: dict[str, Any] = {**changes}
        if "permissions" in fields:
            fields["permissions"] = list(fields["permissions"])
        rows = self._rows(owner).filter(locked=False)
        if version:
            rows = rows.filter(revision=int(version) if version.isdecimal() and len(version) < 10 else 0)
        with self._atomic():
            if "name" in changes:
                self._claim_name(owner, changes["name"], renamed=key_id)
            if not rows.change(key_id, **fields):
                raise self._why_not(owner, key_id, KeyChangedMeanwhile())
            return self.get_key(owner, key_id)

    @sensitive_variables("secret")
    def reroll_key(self, owner: Owner, key_id: str, *, grace: timedelta, request_id: str) -> IssuedKey:
        """Give a key a new secret."""
        rows = self._rows(owner).active(clock.now())
        with self._atomic():
            done = rows.rotate(key_id, owner.config.key_prefix, grace, request_hash=_digest(owner, key_id, request_id))
            if done is None:
                raise self._why_not(owner, key_id, KeyNotActive())
            key, secret = done
            return IssuedKey(to_keys([key], self._using())[0], secret)

    def end_old_secret(self, owner: Owner, key_id: str) -> Key:
        """End the old secret now."""
        old = KeySecret.objects.filter(key=OuterRef("pk"), ends_at__gt=clock.now())
        with self._atomic():
            # Without one nothing changes, the version neither.
            self._rows(owner).filter(Exists(old), locked=False).end_old_secret(key_id)
            key = self.get_key(owner, key_id)
        if key.locked:
            raise KeyLocked
        return key

    def revoke_key(self, owner: Owner, key_id: str) -> None:
        """Revoke the key."""
        with self._atomic():
            if not self._rows(owner).filter(locked=False).revoke(key_id):
                raise self._why_not(owner, key_id, KeyChangedMeanwhile())

    def usage(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, key_ids: Sequence[str] | None = None
    ) -> list[UsageBucket]:
        """Return how often the keys were presented, in the buckets that begin from ``start`` on; one statement.

        Hours that were rolled up are all in their day's first.
        """
        return to_buckets(self._using(), owner, start, end, bucket, key_ids)

    def usage_summary(
        self, owner: Owner, start: datetime, end: datetime, *, bucket: timedelta, most: int, since: datetime
    ) -> UsageSummary:
        """Return the same of all keys, with all but the most used together; three statements."""
        keys = self._objects().filter(keyspace_id=owner.keyspace_id, external_id=owner.external_id)
        return to_summary(keys, self._counts(owner), start, end, bucket, most=most, since=since)

    def purge(self, before: datetime, batch_size: int) -> int:
        """Delete revoked keys and ended secrets from before ``before``; return the number of rows.

        The rows of imported keys stay: without them the same file, imported again, would bring revoked keys back to life.
        When nothing else is left, counts of use are rolled up, so that an operator needs one command only.
        """
        deleted = 0
        secrets = KeySecret.objects.using(self._using()).filter(ends_at__lt=before)
        keys = self._objects().filter(revoked_at__lt=before, imported=False)
        for rows in (secrets, keys):
            if batch := list(rows.order_by("pk").values_list("pk", flat=True)[: batch_size - deleted]):
                if rows is keys:
                    delete_usage_of(batch, batch_size)
                deleted += len(batch)
                rows.order_by().filter(pk__in=batch).delete()
        if not deleted:
            roll_up(batch_size)
        return deleted

    def check(self) -> list[CheckMessage]:
        """Return an error where keys and events are in different databases: no transaction would hold both."""
        if self._using() == router.db_for_write(PortalEvent):
            return []
        hint = "Let the database router send the apps portal and portal_keys to the same database."
        return [Error("API keys and the audit trail are in different databases.", hint=hint, id="portal_keys.E001")]

    def _using(self) -> str:
        # Reads too: a replica that lags would not know the key that was just made.
        return router.db_for_write(ApiKey)

    def _atomic(self) -> transaction.Atomic:
        return transaction.atomic(using=self._using())

    def _objects(self) -> ApiKeyQuerySet:
        return ApiKey.objects.using(self._using())

    def _rows(self, owner: Owner) -> ApiKeyQuerySet:
        return self._objects().owned_by(owner.keyspace_id, owner.external_id)

    def _counts(self, owner: Owner) -> KeyUsageQuerySet:
        # Joined: of a subquery of keys SQLite, with statistics of a small table, read everybody's counts of the time.
        return KeyUsage.objects.using(self._using()).filter(
            key__keyspace_id=owner.keyspace_id, key__external_id=owner.external_id
        )

    def _claim_name(
        self, owner: Owner, name: str, *, key_id: str = "", renamed: str = "", limit: int | None = None
    ) -> None:
        """Lock the owner, so that what is counted here still holds when the key is written."""
        KeyOwner.objects.using(self._using()).lock(owner.keyspace_id, owner.external_id)
        if key_id and self._objects().filter(public_id=key_id).exists():
            raise KeyAlreadyCreated(key_id)
        if limit is not None and self._rows(owner).count() >= limit:
            raise KeyLimitReached(limit)
        if self._rows(owner).filter(name=name).exclude(public_id=renamed).exists():
            raise KeyNameTaken

    def _why_not(self, owner: Owner, key_id: str, otherwise: PortalError) -> PortalError:
        """Return why a conditional UPDATE found no row, now that it holds no lock."""
        locked = self._rows(owner).filter(public_id=key_id).values_list("locked", flat=True).first()
        if locked is None:
            return ApiKeyNotFound()
        return KeyLocked() if locked else otherwise


def _digest(owner: Owner, act: str, request_id: str) -> bytes:
    text = "\0".join((owner.keyspace_id, owner.external_id, act, request_id))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
