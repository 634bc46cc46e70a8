"""Keys that another system made, taken over by the hashes of their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils.crypto import salted_hmac

from portal import clock, tokens
from portal.models import Actor, PortalEvent

from .keyspace import portals_of
from .owner import KeyOwner
from .secret import KeySecret

if TYPE_CHECKING:
    from .api_key import ApiKey

__all__ = ["ImportOutcome", "ImportedKey", "KeyImportQuerySet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedKey:
    """A key to take over; the fields are those of the table.

    :param secret_hash: SHA-256 of the whole secret, 32 bytes.
    :param name: empty for one that nobody else has.
    :param created_at: None for now.
    """

    secret_hash: bytes = field(repr=False)
    keyspace_id: str
    external_id: str
    name: str = ""
    start: str = ""
    enabled: bool = True
    expires_at: datetime | None = None
    permissions: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    rate_limit: int | None = None
    rate_limit_seconds: int = 60
    created_at: datetime | None = None

    @property
    def owner(self) -> tuple[str, str]:
        """Whose it is: keyspace id and external id."""
        return self.keyspace_id, self.external_id

    def public_ids(self) -> list[str]:
        """Return the id that the key gets, and those that it would have got under an older SECRET_KEY.

        From the hash, so that a key that was imported, then revoked or rotated, which forgets the hash, is known again: an
        import that is repeated must not bring it back to life, however late: its row is never purged. Keyed, because ids
        are in logs, and the secrets of another system may be short enough to be guessed by their hashes.
        """
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        digests = (
            salted_hmac("portal.keys.import", self.secret_hash, secret=key, algorithm="sha256").digest() for key in keys
        )
        return [tokens.API_KEY_ID + tokens.base62(int.from_bytes(digest[:16]), 22) for digest in digests]


class ImportOutcome(StrEnum):
    """What became of a key that was to be imported."""

    IMPORTED = "imported"
    #: It was imported before, or made here.
    KNOWN = "known"
    #: Another user has a key of this secret.
    OTHER_OWNER = "other_owner"
    #: The user has another key of this name.
    NAME_TAKEN = "name_taken"
    #: An earlier one of the same hash was refused.
    REPEATED = "repeated"


class KeyImportQuerySet(models.QuerySet["ApiKey"]):
    """Keys in bulk: the verb that takes over many."""

    def import_hashed(
        self, keys: Sequence[ImportedKey], *, actor: Actor = PortalEvent.SYSTEM, dry_run: bool = False
    ) -> list[ImportOutcome]:
        """Make these keys, in one transaction, and return what became of each. The portal's limits do not apply.

        Each is an event; no signal is sent and nothing is logged for it: nobody waits to hear of keys that exist for long.

        :param dry_run: say what would be, and leave the tables as they are.
        """
        self._for_write = True
        try:
            return self._import(keys, actor, dry_run)
        except IntegrityError:
            # Somebody else made one of these between the look and the write; now it is seen.
            return self._import(keys, actor, dry_run)

    def _import(self, keys: Sequence[ImportedKey], actor: Actor, dry_run: bool) -> list[ImportOutcome]:
        # Read before the transaction: on SQLite one that begins with a read and turns into a writer fails at once.
        known = self._owners_of(keys)
        new: dict[bytes, ImportedKey] = {}
        for key in keys:
            if key.secret_hash not in known:
                new.setdefault(key.secret_hash, key)
        made = self._make([*new.values()], actor, dry_run) if new else set()

        def outcome(key: ImportedKey) -> ImportOutcome:
            owner = known.get(key.secret_hash)
            if owner is None:
                first = new[key.secret_hash]
                if first is key:
                    return ImportOutcome.IMPORTED if key.secret_hash in made else ImportOutcome.NAME_TAKEN
                if key.secret_hash not in made:
                    return ImportOutcome.REPEATED
                owner = first.owner
            return ImportOutcome.KNOWN if owner == key.owner else ImportOutcome.OTHER_OWNER

        return [outcome(key) for key in keys]

    def _owners_of(self, keys: Iterable[ImportedKey]) -> dict[bytes, tuple[str, str]]:
        """Return the owners of those that are in the tables, by hash."""
        by_id = {public_id: key.secret_hash for key in keys for public_id in key.public_ids()}
        secrets = KeySecret.objects.using(self.db).filter(secret_hash__in={*by_id.values()})
        rows = self.model._base_manager.using(self.db).filter(public_id__in=by_id)
        found = {by_id[row[0]]: (row[1], row[2]) for row in rows.values_list("public_id", "keyspace_id", "external_id")}
        for secret_hash, *owner in secrets.values_list("secret_hash", "key__keyspace_id", "key__external_id"):
            found[bytes(secret_hash)] = (owner[0], owner[1])
        return found

    def _make(self, keys: list[ImportedKey], actor: Actor, dry_run: bool) -> set[bytes]:
        """Write keys of different hashes and return the hashes of those whose name was free.

        :raises IntegrityError: somebody else wrote one of the hashes meanwhile.
        """
        rows = {key.secret_hash: self._row(key) for key in keys}
        objects = self.model._base_manager.using(self.db)
        with transaction.atomic(using=self.db):
            KeyOwner.objects.using(self.db).lock_all(key.owner for key in keys)
            # A name that is taken leaves its row out, and no other.
            objects.bulk_create(rows.values(), ignore_conflicts=True)
            written = objects.filter(public_id__in=[row.public_id for row in rows.values()])
            pks = dict(written.values_list("public_id", "pk"))
            made = {secret_hash: row for secret_hash, row in rows.items() if row.public_id in pks}
            KeySecret.objects.using(self.db).bulk_create(
                KeySecret(key_id=pks[row.public_id], secret_hash=secret_hash, start=row.start)
                for secret_hash, row in made.items()
            )
            PortalEvent.objects.using(self.db).bulk_create(_events(made.values(), actor))
            if dry_run:
                transaction.set_rollback(True, using=self.db)
        return {*made}

    def _row(self, key: ImportedKey) -> ApiKey:
        public_id = key.public_ids()[0]
        return self.model(
            public_id=public_id,
            keyspace_id=key.keyspace_id,
            external_id=key.external_id,
            name=key.name or f"Imported key {public_id[-6:]}",
            start=key.start,
            enabled=key.enabled,
            expires_at=key.expires_at,
            permissions=[*key.permissions],
            metadata={**key.metadata},
            rate_limit=key.rate_limit,
            rate_limit_seconds=key.rate_limit_seconds,
            created_at=key.created_at or clock.now(),
            imported=True,
        )


def _events(keys: Iterable[ApiKey], actor: Actor) -> Iterator[PortalEvent]:
    rows = [*keys]
    portals = portals_of(row.keyspace_id for row in rows)
    for row in rows:
        portal = portals.get(row.keyspace_id)
        yield PortalEvent.about(
            PortalEvent.Kind.KEY_CREATED,
            actor,
            portal_id=portal.public_id if portal else "",
            external_id=row.external_id,
            key_id=row.public_id,
            name=row.name,
            imported=True,
        )
