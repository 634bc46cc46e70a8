"""Whose keys: a row a user, there to be locked."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

__all__ = ["KeyOwner"]


class KeyOwnerQuerySet(models.QuerySet["KeyOwner"]):
    """Owners in bulk."""

    def lock(self, keyspace_id: str, external_id: str) -> None:
        """Keep others from counting and naming this owner's keys until the transaction ends.

        A statement that writes, and the first of its transaction: on SQLite it waits for the one writer, where a read that
        turns into a write would fail at once; elsewhere it locks the owner's row.
        """
        self.lock_all([(keyspace_id, external_id)])

    def lock_all(self, owners: Iterable[tuple[str, str]]) -> None:
        """Lock several owners, each a keyspace id and an external id; in one order, so that two who do it never deadlock."""
        self.bulk_create(
            [self.model(keyspace_id=keyspace, external_id=user) for keyspace, user in sorted({*owners})],
            update_conflicts=True,
            unique_fields=["keyspace_id", "external_id"],
            update_fields=["external_id"],
        )


class KeyOwner(models.Model):
    """One end user of one keyspace. It holds nothing: how many keys there are is counted, never noted."""

    keyspace_id = models.CharField(_("keyspace id"), max_length=256)
    external_id = models.CharField(_("external id"), max_length=256)

    objects = KeyOwnerQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("owner of keys")
        verbose_name_plural = _("owners of keys")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("keyspace_id", "external_id"), name="portal_keys_owner_unique"),)

    def __str__(self) -> str:
        return self.external_id
