"""Saving a portal by the API, where each slug and each keyspace has one portal (wire contract section 6)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import DatabaseError, IntegrityError, connections, router, transaction

from portal.errors import PortalAlreadyExists, PortalNotFound

from .config import PortalConfig
from .event import Actor

__all__ = ["save_unshared"]

_KEYSPACE_TAKEN = "That app or keyspace already has a portal."


def save_unshared(portal: PortalConfig, *, actor: Actor, fields: Collection[str] | None = None) -> None:
    """Save ``portal``, unless another one has its slug, or shows the keyspace that it is pointed at.

    No constraint keeps keyspaces apart, because an operator may let two portals share one in the admin. So the row is
    written first and its neighbors are looked at afterwards, in one transaction. Of two such calls at once, SQLite lets
    the second write when the first has committed; on PostgreSQL a lock on the keyspace's name does the same. A save
    that does not come through here, such as the admin's, takes no such lock and may make two portals share.

    :param fields: which to write, of a portal that exists; None to insert one.
    :raises PortalAlreadyExists: another has the slug or the keyspace; nothing was written.
    :raises PortalNotFound: the portal was deleted meanwhile.
    """
    using = router.db_for_write(PortalConfig, instance=portal)
    rows = PortalConfig._base_manager.using(using)
    claims_keyspace = fields is None or "keyspace_id" in fields
    try:
        with transaction.atomic(using=using):
            if claims_keyspace:
                _wait_for_others(portal.keyspace_id, using)
            portal.save(using=using, actor=actor, update_fields=fields)
            if claims_keyspace and rows.filter(keyspace_id=portal.keyspace_id).exclude(pk=portal.pk).exists():
                raise PortalAlreadyExists(_KEYSPACE_TAKEN)
    except IntegrityError:
        if rows.filter(slug=portal.slug).exclude(pk=portal.pk).exists():
            raise PortalAlreadyExists from None
        raise
    except DatabaseError:
        # What Django says when a save finds no row to update.
        if fields is not None and not rows.filter(pk=portal.pk).exists():
            raise PortalNotFound from None
        raise


def _wait_for_others(keyspace_id: str, using: str) -> None:
    """Let one transaction after the other point a portal at this keyspace."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"portal keyspace {keyspace_id}"])
