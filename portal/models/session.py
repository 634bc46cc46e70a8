"""A session of an end user: minted as an exchange code, exchanged once for an access token, ended by time or by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models, router
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from portal import clock, origins, tokens
from portal.conf import portal_settings

from .config import PortalConfig
from .event import Actor, PortalEvent
from .root_key import RootKey
from .session_queryset import PortalSessionQuerySet

__all__ = ["PortalSession"]


def _session_id() -> str:
    return tokens.public_id(tokens.SESSION_ID)


def _session_ttl() -> timedelta:
    return portal_settings.SESSION_TTL


class PortalSession(models.Model):
    """One row from minting to purge.

    The two secrets are here as SHA-256 only. State is derived by :meth:`state` and never stored, so nothing can be stale
    about an expiry. Times are aware, in whole milliseconds; *live* means that now is before the expiry.
    """

    class State(models.TextChoices):
        """What :meth:`PortalSession.state` answers."""

        PENDING = "pending", _("Pending")
        CODE_EXPIRED = "code_expired", _("Code expired")
        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")

    public_id = models.CharField(_("session id"), max_length=32, default=_session_id, editable=False)
    config = models.ForeignKey(
        PortalConfig, verbose_name=_("portal"), on_delete=models.CASCADE, related_name="sessions", db_index=False
    )
    keyspace_id = models.CharField(
        _("keyspace id"), max_length=256, blank=True, help_text=_("The portal's keyspace when the session was minted.")
    )
    external_id = models.CharField(_("external id"), max_length=256)
    display_name = models.CharField(_("display name"), max_length=256, blank=True)
    permissions = models.JSONField(_("permissions"), help_text=_("As they were given."))
    capabilities = models.CharField(
        _("capabilities"), max_length=128, blank=True, help_text=_("What the permissions mean, separated by spaces.")
    )
    preview = models.BooleanField(_("preview"), default=False, help_text=_("A preview looks and changes nothing."))
    return_url = models.CharField(_("return URL"), max_length=origins.MAX_URL_LENGTH, blank=True)
    next = models.CharField(_("first page"), max_length=origins.MAX_URL_LENGTH, blank=True)
    locale = models.CharField(_("language"), max_length=35, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    ttl = models.DurationField(_("life"), default=_session_ttl, help_text=_("How long it lives once exchanged."))
    minted_by = models.ForeignKey(
        RootKey,
        verbose_name=_("minted by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
        db_index=False,
        help_text=_("The root key, so that a leaked key's sessions can be ended together."),
    )
    # Binary, not text: exact by nature on every database, and no second index for LIKE.
    code_hash = models.BinaryField(_("code hash"), max_length=32, editable=False)
    code_expires_at = models.DateTimeField(_("code expires"), editable=False)
    token_hash = models.BinaryField(_("token hash"), max_length=32, null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, editable=False)
    exchanged_at = models.DateTimeField(_("exchanged"), null=True, editable=False)
    replayed_at = models.DateTimeField(_("used code came back"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), editable=False, default=clock.now)

    objects = PortalSessionQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        # Who may change sessions may end them.
        default_permissions = ("change", "view")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("public_id",), name="portal_session_public_id"),
            models.UniqueConstraint(fields=("code_hash",), name="portal_session_code"),
            models.UniqueConstraint(fields=("token_hash",), name="portal_session_token"),
            # A token without an expiry would never end; one without an exchange was never asked for.
            models.CheckConstraint(
                condition=models.Q(token_hash=None, expires_at=None, exchanged_at=None)
                | models.Q(token_hash__isnull=False, expires_at__isnull=False, exchanged_at__isnull=False),
                name="portal_session_token_expires",
            ),
        )
        indexes = (
            models.Index(fields=("config", "external_id", "id"), name="portal_session_owner"),
            # With the id, so that one portal's or one root key's newest sessions are the first of an index.
            models.Index(fields=("config", "id"), name="portal_session_portal"),
            models.Index(fields=("minted_by", "id"), name="portal_session_root_key"),
            models.Index(Coalesce("expires_at", "code_expires_at"), name="portal_session_ends"),
        )

    def __str__(self) -> str:
        return self.public_id

    def state(self, at: datetime | None = None) -> State:
        """Return the session's state at the moment ``at`` (aware; the clock's now by default)."""
        at = at or clock.now()
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at is None:
            return self.State.PENDING if at < self.code_expires_at else self.State.CODE_EXPIRED
        return self.State.ACTIVE if at < self.expires_at else self.State.EXPIRED

    def allows(self, capability: str) -> bool:
        """Say whether the session was granted ``capability``."""
        return capability in self.capabilities.split()

    def revoke(self, actor: Actor = PortalEvent.SYSTEM, *, reason: str = "revoked") -> bool:
        """End this session on the server, at once; say whether it was live until now."""
        # Where writes go, not where this row was read: on a replica the end would be lost.
        using = router.db_for_write(type(self), instance=self)
        ended = type(self).objects.using(using).filter(pk=self.pk).revoke(actor, reason=reason, **self.event_values())
        self.refresh_from_db(using=using, fields=("revoked_at",))
        return bool(ended)

    def end_user(self, address: str | None) -> Actor:
        """Return this session's end user as an actor of events."""
        return Actor(PortalEvent.ActorKind.END_USER, self.external_id, address)

    def event_values(self) -> dict[str, Any]:
        """Return what an event about this session carries: its ids, and for receivers its metadata."""
        return {
            "portal_id": self.config.public_id,
            "session_id": self.public_id,
            "external_id": self.external_id,
            "metadata": self.metadata,
        }
