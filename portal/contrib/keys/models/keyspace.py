"""Which portal shows a set of keys; the other direction is :class:`portal.keystore.base.Owner`."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from portal.models import PortalConfig

__all__ = ["portals_of"]


def portals_of(keyspace_ids: Iterable[str]) -> dict[str, PortalConfig]:
    """Return the portal of each keyspace that has one; the oldest, if several show the same keys."""
    wanted = {*keyspace_ids}
    rows = PortalConfig.objects.filter(Q(keyspace_id__in=wanted) | Q(keyspace_id="", public_id__in=wanted))
    return {config.keyspace: config for config in rows.order_by("-pk")}
