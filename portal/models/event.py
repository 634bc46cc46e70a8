"""The audit trail: who did what, to which portal, for whom, from where (design decision 18)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import DataError, IntegrityError, OperationalError, models, transaction
from django.utils.translation import gettext_lazy as _

from portal import clock, credential_cache, signals

from .insert import insert

__all__ = ["Actor", "EventNotWritten", "PortalEvent"]

logger = logging.getLogger("portal.audit")

#: What a log line and an event's CSV row hold, in this order.
FIELDS = ("kind", "actor_kind", "actor_id", "address", "portal_id", "session_id", "external_id", "detail", "created_at")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as events record it.

    :param kind: one of :class:`PortalEvent.ActorKind`.
    :param id: a public id, external id or user name; never a secret.
    :param address: the client's IP address, or None when there is no request.
    """

    kind: str
    id: str = ""
    address: str | None = None


class EventNotWritten(OperationalError):
    """The audit trail refuses an event, so what it is about is rolled back and answered with 503, as an outage is."""


class PortalEventQuerySet(models.QuerySet["PortalEvent"]):
    """Events in bulk."""

    def before(self, moment: datetime) -> Self:
        """Return the events from before ``moment`` (aware). An index serves this."""
        return self.filter(created_at__lt=moment)

    def purge(self, before: datetime, batch_size: int) -> int:
        """Delete up to ``batch_size`` events from before ``before``, the oldest first, and return their number."""
        self._for_write = True
        rows = self.using(self.db).order_by()
        return rows.filter(pk__in=rows.before(before).order_by("created_at").values("pk")[:batch_size]).delete()[0]


class PortalEvent(models.Model):
    """One thing that happened, written in the transaction of the thing itself.

    Ids are copied, not linked: an event outlives the portal, the session and the key that it speaks of.
    """

    class Kind(models.TextChoices):
        """What happened."""

        SESSION_CREATED = "session.created", _("Session created")
        SESSION_EXCHANGED = "session.exchanged", _("Session exchanged")
        SESSION_REPLAYED = "session.replayed", _("Used code presented again")
        SESSION_REVOKED = "session.revoked", _("Sessions revoked")
        SESSION_SIGNED_OUT = "session.signed_out", _("Signed out")
        ROOT_KEY_CREATED = "root_key.created", _("Root key created")
        ROOT_KEY_CHANGED = "root_key.changed", _("Root key changed")
        ROOT_KEY_ROTATED = "root_key.rotated", _("Root key rotated")
        ROOT_KEY_DISABLED = "root_key.disabled", _("Root key disabled")
        PORTAL_CREATED = "portal.created", _("Portal created")
        PORTAL_CHANGED = "portal.changed", _("Portal changed")
        PORTAL_DELETED = "portal.deleted", _("Portal deleted")
        KEY_CREATED = "key.created", _("Key created")
        KEY_CHANGED = "key.changed", _("Key changed")
        KEY_ROTATED = "key.rotated", _("Key rotated")
        KEY_SECRET_ENDED = "key.secret_ended", _("Old secret ended")
        KEY_REVOKED = "key.revoked", _("Key revoked")
        KEY_LOCKED = "key.locked", _("Key locked")
        KEY_UNLOCKED = "key.unlocked", _("Key unlocked")

    class ActorKind(models.TextChoices):
        """Who did it."""

        ROOT_KEY = "root_key", _("Root key")
        END_USER = "end_user", _("End user")
        OPERATOR = "operator", _("Operator")
        SYSTEM = "system", _("System")

    SYSTEM: ClassVar[Actor] = Actor("system")

    kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    actor_kind = models.CharField(_("actor"), max_length=20, choices=ActorKind)
    actor_id = models.CharField(_("actor id"), max_length=256, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    portal_id = models.CharField(_("portal id"), max_length=32, blank=True)
    session_id = models.CharField(_("session id"), max_length=32, blank=True)
    external_id = models.CharField(_("external id"), max_length=256, blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"))

    #: What the session was minted with, for receivers of signals; not a column, so empty on an event that was read.
    metadata: Mapping[str, Any] = {}

    objects = PortalEventQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ("view",)
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("portal_id", "id"), name="portal_event_portal"),
            models.Index(fields=("external_id", "id"), name="portal_event_external"),
            models.Index(fields=("session_id", "id"), name="portal_event_session"),
            models.Index(fields=("created_at",), name="portal_event_created"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.portal_id or self.actor_id}".strip()

    @classmethod
    def record(
        cls,
        kind: str,
        actor: Actor,
        *,
        using: str,
        portal_id: str = "",
        session_id: str = "",
        external_id: str = "",
        metadata: Mapping[str, Any] | None = None,
        **detail: Any,
    ) -> PortalEvent:
        """Write one event; call it inside the transaction of what it records.

        When that transaction commits, the event goes to the logger ``portal.audit`` and to its signal.

        :param using: the database alias of that transaction.
        :param metadata: of the session that this is about or that did it; for receivers, neither stored nor logged.
        :param detail: JSON values; never a secret.
        :raises EventNotWritten: and the transaction must not commit.
        """
        ids = {"portal_id": portal_id, "session_id": session_id, "external_id": external_id}
        event = cls.about(kind, actor, **ids, metadata=metadata, **detail)
        try:
            insert(event, using=using)
        except (IntegrityError, DataError) as error:
            raise EventNotWritten("The event could not be written.") from error
        event.announce(using)
        return event

    @classmethod
    def about(cls, kind: str, actor: Actor, **values: Any) -> PortalEvent:
        """Return the event that :meth:`record` would write, for those who announce it though it could not be written."""
        ids = {name: values.pop(name, "") for name in ("portal_id", "session_id", "external_id")}
        metadata = values.pop("metadata", None) or {}
        event = cls(
            kind=kind,
            actor_kind=actor.kind,
            actor_id=actor.id,
            address=actor.address,
            detail=values,
            created_at=clock.now(),
            **ids,
        )
        event.metadata = metadata
        return event

    @classmethod
    def is_heard(cls, kind: str) -> bool:
        """Say whether anybody learns of such an event: a receiver, the log, or who remembers credentials."""
        return (
            kind not in _CHANGE_NOTHING
            or logger.isEnabledFor(logging.INFO)
            or signals.BY_KIND[kind].has_listeners(PortalEvent)
        )

    @classmethod
    def as_written(cls, pk: int, values: Mapping[str, Any], metadata: Mapping[str, Any], *, using: str) -> PortalEvent:
        """Return the event that was just written with these values, for those who hear of it."""
        event = cls(pk=pk, **values)
        event.metadata = metadata
        event._state.adding = False
        event._state.db = using
        return event

    def announce(self, using: str) -> None:
        """Log the event and send its signal once the transaction on ``using`` has committed; nobody hears of a rollback."""
        # Robust: the thing has happened, and a receiver's fault must neither undo it nor become the caller's 500.
        # A lambda: Django names a failed hook by its __qualname__, and a partial has none.
        transaction.on_commit(lambda: _announce(self), using=using, robust=True)

    def fields(self) -> dict[str, Any]:
        """Return what the event says, by the names of :data:`FIELDS`."""
        return {name: getattr(self, name) for name in FIELDS}


#: The kinds of events that change no credential that anybody may remember.
_CHANGE_NOTHING = frozenset(
    {
        PortalEvent.Kind.SESSION_CREATED,
        PortalEvent.Kind.SESSION_EXCHANGED,
        PortalEvent.Kind.SESSION_REPLAYED,
        PortalEvent.Kind.ROOT_KEY_CREATED,
        PortalEvent.Kind.PORTAL_CREATED,
        PortalEvent.Kind.KEY_CREATED,
    }
)


def _announce(event: PortalEvent) -> None:
    if event.kind not in _CHANGE_NOTHING:
        credential_cache.forget()
    if logger.isEnabledFor(logging.INFO):
        _log(event)
    signals.BY_KIND[event.kind].send_robust(sender=PortalEvent, event=event)


def _log(event: PortalEvent) -> None:
    logger.info(
        "%s by %s %s portal=%s session=%s",
        event.kind,
        event.actor_kind,
        # External ids are others' text: one line stays one line.
        "".join(char if char.isprintable() else ascii(char)[1:-1] for char in event.actor_id) or "-",
        event.portal_id or "-",
        event.session_id or "-",
        extra={"audit": {**event.fields(), "created_at": event.created_at.isoformat()}},
    )
