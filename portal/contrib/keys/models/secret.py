"""The secrets of a key: the present one, and for a while after a rotation the one before."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal import clock

__all__ = ["KeySecret"]


class KeySecretQuerySet(models.QuerySet["KeySecret"]):
    """Secrets in bulk."""

    def working(self, now: datetime) -> Self:
        """Return those that have not ended at ``now``."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=now))


class KeySecret(models.Model):
    """One secret, here as SHA-256 only. The one without an end is the present one; a key has one of those at most."""

    key = models.ForeignKey("portal_keys.ApiKey", models.CASCADE, related_name="secrets", verbose_name=_("key"))
    secret_hash = models.BinaryField(_("hash"), max_length=32, editable=False)
    start = models.CharField(_("starts with"), max_length=32, editable=False)
    ends_at = models.DateTimeField(_("ends"), null=True, editable=False)
    #: Digest of what named the rotation that made it, so that the same request sent twice rotates once.
    request_hash = models.BinaryField(_("request"), max_length=32, null=True, editable=False)
    created_at = models.DateTimeField(_("created"), editable=False, default=clock.now)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    objects = KeySecretQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("secret of a key")
        verbose_name_plural = _("secrets of keys")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("secret_hash",), name="portal_keys_secret_hash"),
            models.UniqueConstraint(fields=("request_hash",), name="portal_keys_secret_request"),
            models.UniqueConstraint(
                fields=("key",), condition=models.Q(ends_at=None), name="portal_keys_secret_present"
            ),
        )
        indexes = (
            models.Index(fields=("ends_at",), name="portal_keys_secret_ends"),
            models.Index(fields=("start",), name="portal_keys_secret_start"),
        )

    def __str__(self) -> str:
        return f"{self.start}…"
