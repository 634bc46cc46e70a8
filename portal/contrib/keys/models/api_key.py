"""An API key of an end user, and what happens to it in its life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from portal import clock, credential_cache, tokens
from portal.errors import KeyAlreadyCreated
from portal.models.validators import validate_key_permissions

from .imports import KeyImportQuerySet
from .secret import KeySecret
from .validators import validate_metadata

__all__ = ["ApiKey"]


def _key_id() -> str:
    return tokens.public_id(tokens.API_KEY_ID)


class ApiKeyQuerySet(KeyImportQuerySet, models.QuerySet["ApiKey"]):
    """Keys in bulk, and what happens to one of them: the queryset says which may be meant, the public id which is."""

    def live(self) -> Self:
        """Return the keys that were not revoked."""
        return self.filter(revoked_at=None)

    def owned_by(self, keyspace_id: str, external_id: str) -> Self:
        """Return the live keys of one user."""
        return self.live().filter(keyspace_id=keyspace_id, external_id=external_id)

    def active(self, now: datetime) -> Self:
        """Return the live keys that are accepted at ``now``."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        return self.live().filter(unexpired, enabled=True, locked=False)

    def in_state(self, state: str, now: datetime) -> Self:
        """Return the keys in one of :class:`ApiKey.State` at ``now``; none for an unknown state."""
        live = self.live()
        unlocked = live.filter(locked=False)
        rows = {
            "active": self.active(now),
            "disabled": unlocked.filter(enabled=False),
            "expired": unlocked.filter(enabled=True, expires_at__lte=now),
            "locked": live.filter(locked=True),
            "revoked": self.filter(revoked_at__isnull=False),
        }
        return rows.get(state, self.none())

    @sensitive_variables("secret")
    def issue(self, prefix: str, **fields: Any) -> tuple[ApiKey, str]:
        """Make a key with its first secret and return both. Call it inside a transaction.

        :param prefix: what the secret begins with.
        :raises IntegrityError: its owner has a key of this name, or a key has this public id.
        """
        secret = tokens.mint_api_key(prefix)
        start = tokens.api_key_start(secret)
        self._for_write = True
        key = self.create(start=start, **fields)
        KeySecret.objects.using(self.db).create(key=key, secret_hash=tokens.digest(secret), start=start)
        return key, secret

    @sensitive_variables("secret")
    def rotate(
        self, public_id: str, prefix: str, grace: timedelta, *, request_hash: bytes | None = None
    ) -> tuple[ApiKey, str] | None:
        """Give a key among these a new secret and return both; None when it is not among these.

        The present secret works until ``grace`` has passed; an older one ends now.

        :param request_hash: see :class:`KeySecret`.
        :raises KeyAlreadyCreated: a request of this hash made a secret before.
        """
        secret, now = tokens.mint_api_key(prefix), clock.now()
        start = tokens.api_key_start(secret)
        self._for_write = True
        with transaction.atomic(using=self.db):
            # First: it locks the row, so that two rotations come one after the other.
            if not self.change(public_id, start=start, rotated_at=now):
                return None
            secrets = KeySecret.objects.using(self.db)
            if request_hash is not None and secrets.filter(request_hash=request_hash).exists():
                raise KeyAlreadyCreated(public_id)
            key = self.model._base_manager.using(self.db).get(public_id=public_id)
            secrets.filter(key=key, ends_at__gt=now).update(ends_at=now)
            secrets.filter(key=key, ends_at=None).update(ends_at=now + grace)
            secrets.create(key=key, secret_hash=tokens.digest(secret), start=start, request_hash=request_hash)
        return key, secret

    def end_old_secret(self, public_id: str) -> int:
        """End the secret from before the last rotation now; return whether the key is among these, as 0 or 1."""
        now = clock.now()
        self._for_write = True
        with transaction.atomic(using=self.db):
            found = self.change(public_id)
            if found:
                KeySecret.objects.using(self.db).filter(key__public_id=public_id, ends_at__gt=now).update(ends_at=now)
        return found

    def revoke(self, public_id: str) -> int:
        """Refuse a key for ever and forget its secrets; return whether it was among these, as 0 or 1.

        The row stays for a while, so that a repeated request does not make the same key again; ``portal_purge`` deletes it,
        unless the key was imported.
        """
        self._for_write = True
        with transaction.atomic(using=self.db):
            found = self.change(public_id, revoked_at=clock.now())
            if found:
                KeySecret.objects.using(self.db).filter(key__public_id=public_id).delete()
        return found

    def lock(self, public_id: str) -> int:
        """Refuse a key until it is unlocked; its owner cannot change it. Return whether it was unlocked, as 0 or 1."""
        return self.live().filter(locked=False).change(public_id, locked=True)

    def unlock(self, public_id: str) -> int:
        """Take the lock off a key; return whether it was locked, as 0 or 1."""
        return self.live().filter(locked=True).change(public_id, locked=False)

    def change(self, public_id: str, **fields: Any) -> int:
        """Write ``fields`` of a key; return whether it is among these, as 0 or 1.

        One UPDATE whose conditions are the queryset's: who filters decides who may, in the statement that acts.
        """
        revision = models.F("revision") + 1
        self._for_write = True
        changed = self.filter(public_id=public_id).update(**fields, updated_at=clock.now(), revision=revision)
        if changed:
            credential_cache.forget_on_commit(self.db)
        return changed


class ApiKey(models.Model):
    """One key. Its id stays the same across rotations; its secrets are rows of :class:`KeySecret`."""

    class State(models.TextChoices):
        """What a key is at a moment; of several the last of these."""

        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        DISABLED = "disabled", _("Disabled")
        LOCKED = "locked", _("Locked")
        REVOKED = "revoked", _("Revoked")

    public_id = models.CharField(_("key id"), max_length=32, default=_key_id, editable=False)
    keyspace_id = models.CharField(_("keyspace id"), max_length=256)
    external_id = models.CharField(_("external id"), max_length=256)
    name = models.CharField(_("name"), max_length=100)
    start = models.CharField(_("starts with"), max_length=32, editable=False)
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("The user's own switch."))
    locked = models.BooleanField(
        _("locked"), default=False, help_text=_("Refused, and the user cannot change the key, until it is unlocked.")
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    permissions = models.JSONField(_("permissions"), default=list, blank=True, validators=[validate_key_permissions])
    metadata = models.JSONField(_("metadata"), default=dict, blank=True, validators=[validate_metadata])
    rate_limit = models.PositiveIntegerField(
        _("rate limit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Requests in each window."),
    )
    rate_limit_seconds = models.PositiveIntegerField(
        _("window in seconds"), default=60, validators=[MinValueValidator(1)]
    )
    #: Once revoked it stays for ever: the file that it came from may be imported again, and its id says that it was here.
    imported = models.BooleanField(_("imported"), default=False, editable=False)
    #: Counts the changes that the owner can see, so that two who edit a key at once notice.
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    created_at = models.DateTimeField(_("created"), editable=False, default=clock.now)
    updated_at = models.DateTimeField(_("updated"), null=True, editable=False)
    rotated_at = models.DateTimeField(_("rotated"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        default_permissions = ("add", "change", "view")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("public_id",), name="portal_keys_key_public_id"),
            models.UniqueConstraint(
                fields=("keyspace_id", "external_id", "name"),
                condition=models.Q(revoked_at=None),
                name="portal_keys_key_name",
            ),
        )
        indexes = (
            models.Index(fields=("keyspace_id", "external_id", "created_at", "id"), name="portal_keys_key_owner"),
            models.Index(fields=("external_id", "id"), name="portal_keys_key_external"),
            models.Index(fields=("keyspace_id", "id"), name="portal_keys_key_keyspace"),
            models.Index(fields=("start", "id"), name="portal_keys_key_start"),
            # The rows that purge may delete, so that it never reads past those that stay.
            models.Index(
                fields=("revoked_at",),
                condition=models.Q(revoked_at__isnull=False, imported=False),
                name="portal_keys_key_revoked",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def state(self, now: datetime) -> State:
        """Return what the key is at ``now``."""
        states = {
            self.State.REVOKED: self.revoked_at is not None,
            self.State.LOCKED: self.locked,
            self.State.DISABLED: not self.enabled,
            self.State.EXPIRED: self.expires_at is not None and self.expires_at <= now,
        }
        return next((state for state, holds in states.items() if holds), self.State.ACTIVE)
