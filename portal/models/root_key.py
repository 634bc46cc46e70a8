"""A root key: what a host's backend presents to mint sessions (design decision 13)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import models, router, transaction
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from portal import clock, credential_cache, permissions, tokens

from .event import Actor, PortalEvent
from .issued import Issued
from .validators import validate_root_key_permissions

__all__ = ["LAST_USED_INTERVAL", "RootKey", "RotatedMeanwhile"]

#: A root key's last use is written at most once in this time.
LAST_USED_INTERVAL = timedelta(minutes=5)


class RotatedMeanwhile(Exception):
    """The root key has another secret than the caller believed; nothing was written."""


def _root_key_id() -> str:
    return tokens.public_id(tokens.ROOT_KEY_ID)


def _default_permissions() -> list[str]:
    return list(permissions.MINT_ANY_SESSION)


class RootKeyQuerySet(models.QuerySet["RootKey"]):
    """Root keys in bulk, and the verb that makes one."""

    @sensitive_variables("key")
    def issue(
        self,
        name: str,
        granted: Iterable[str] = permissions.MINT_ANY_SESSION,
        *,
        expires_at: datetime | None = None,
        public_id: str | None = None,
        actor: Actor = PortalEvent.SYSTEM,
    ) -> Issued[RootKey]:
        """Make a root key and return it with its secret, which cannot be read again.

        :param granted: see :func:`portal.permissions.is_root_key_permission`; by default it may mint any session.
        :param expires_at: aware; None means that it does not expire.
        :param public_id: the key's id, for a caller who must not make the same key twice; a random one by default.
        :raises ValidationError: the name is empty or too long, a permission is not one, or a key has this id.
        """
        key = tokens.mint(tokens.ROOT_KEY)
        root_key = self.model(name=name, permissions=list(granted), expires_at=expires_at)
        root_key.public_id = public_id or root_key.public_id
        root_key._store(key)
        root_key.full_clean()
        self._for_write = True
        with transaction.atomic(using=self.db):
            root_key.save(using=self.db)
            root_key._record(PortalEvent.Kind.ROOT_KEY_CREATED, actor, self.db)
        return Issued(root_key, key)

    def touch(self, pk: int, last_used_at: datetime | None) -> None:
        """Note that the root key was used now, unless that was noted in the last five minutes.

        :param last_used_at: as read when the key was authenticated, so that most calls need no statement at all.
        """
        now = clock.now()
        if last_used_at is not None and last_used_at >= now - LAST_USED_INTERVAL:
            return
        stale = models.Q(last_used_at=None) | models.Q(last_used_at__lt=now - LAST_USED_INTERVAL)
        if self.filter(stale, pk=pk).update(last_used_at=now):
            # Else a remembered key would be noted as used with every request.
            credential_cache.forget()


class RootKey(models.Model):
    """One root key; its secret is here as SHA-256 only. A rotation keeps the row and its id."""

    public_id = models.CharField(_("root key id"), max_length=32, default=_root_key_id, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text=_("Where it is used, for example “Billing backend”."))
    start = models.CharField(_("starts with"), max_length=16, editable=False)
    key_hash = models.BinaryField(_("hash"), max_length=32, editable=False)
    previous_key_hash = models.BinaryField(_("previous hash"), max_length=32, null=True, editable=False)
    previous_ends_at = models.DateTimeField(_("previous secret ends"), null=True, editable=False)
    permissions = models.JSONField(
        _("permissions"), default=_default_permissions, validators=[validate_root_key_permissions]
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), editable=False, default=clock.now)

    objects = RootKeyQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("root key")
        verbose_name_plural = _("root keys")
        default_permissions = ("add", "change", "view")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("public_id",), name="portal_root_key_public_id"),
            models.UniqueConstraint(fields=("key_hash",), name="portal_root_key_hash"),
            models.UniqueConstraint(fields=("previous_key_hash",), name="portal_root_key_previous"),
        )

    def __str__(self) -> str:
        return self.name

    @sensitive_variables("key")
    def rotate(
        self, grace: timedelta = timedelta(0), *, actor: Actor = PortalEvent.SYSTEM, key_hash: bytes | None = None
    ) -> Issued[RootKey]:
        """Give the key a new secret and return it; the present one keeps working for ``grace``.

        A secret from an earlier rotation that is still in its grace period ends now: a key has two secrets at most.

        :param key_hash: rotate only if this is the present secret's hash, so that one request sent twice rotates once.
        :raises RotatedMeanwhile: it is not.
        :raises DoesNotExist: the key is gone.
        """
        key = tokens.mint(tokens.ROOT_KEY)
        using = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            # The present secret as the database has it: this instance may be older than another rotation, and would
            # bring a leaked secret back to life.
            row = type(self)._base_manager.using(using).filter(pk=self.pk)
            if key_hash is not None:
                row = row.filter(key_hash=key_hash)
            rotated = row.update(
                previous_key_hash=models.F("key_hash") if grace else None,
                previous_ends_at=clock.now() + grace if grace else None,
                key_hash=tokens.digest(key),
                start=tokens.mask(key),
            )
            if not rotated:
                raise RotatedMeanwhile if key_hash is not None else self.DoesNotExist
            self._record(PortalEvent.Kind.ROOT_KEY_ROTATED, actor, using)
        self.refresh_from_db(using=using)
        return Issued(self, key)

    def disable(self, *, end_sessions: bool = False, actor: Actor = PortalEvent.SYSTEM) -> None:
        """Refuse the key from now on; with ``end_sessions``, also end every live session that it minted."""
        using = router.db_for_write(type(self), instance=self)
        self.enabled = False
        with transaction.atomic(using=using):
            # The key's own row first: minting locks it (design section 2).
            self.save(using=using, update_fields=("enabled",))
            self._record(PortalEvent.Kind.ROOT_KEY_DISABLED, actor, using)
            if end_sessions:
                self.end_sessions(actor, reason="root_key_disabled")

    def change(self, *fields: str, actor: Actor = PortalEvent.SYSTEM) -> None:
        """Save ``fields`` and record that they changed; the others keep what the database has."""
        using = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            self.save(using=using, update_fields=fields)
            self._record(PortalEvent.Kind.ROOT_KEY_CHANGED, actor, using, fields=sorted(fields))

    def enable(self, *, actor: Actor = PortalEvent.SYSTEM) -> None:
        """Accept the key again, with the secret that it had. Sessions that were ended stay ended."""
        self.enabled = True
        self.change("enabled", actor=actor)

    def end_sessions(self, actor: Actor, *, reason: str) -> int:
        """End every live session that the key minted and return their number; the key itself keeps working."""
        using = router.db_for_write(type(self), instance=self)
        return self.sessions.using(using).revoke(actor, reason=reason, root_key_id=self.public_id)

    def _store(self, key: str) -> None:
        self.key_hash = tokens.digest(key)
        self.start = tokens.mask(key)

    def _record(self, kind: str, actor: Actor, using: str, **detail: Any) -> None:
        PortalEvent.record(kind, actor, using=using, root_key_id=self.public_id, name=self.name, **detail)
