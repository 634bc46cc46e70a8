"""The least that minting could write: one row with the hash of a secret."""

from __future__ import annotations

from django.db import models

__all__ = ["Minted"]


class Minted(models.Model):
    """What the row "DRF POST + 1 INSERT" inserts."""

    secret_hash = models.BinaryField(max_length=32)
    external_id = models.CharField(max_length=256)
    expires_at = models.DateTimeField()

    class Meta:
        """Table options."""

        constraints = (models.UniqueConstraint(fields=("secret_hash",), name="bench_minted_secret"),)

    def __str__(self) -> str:
        return self.external_id
