"""An uploaded logo, served by the portal itself: no other host learns who opens it (security requirement 37)."""

from __future__ import annotations

import hashlib

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from portal.images import clean_image

from .config import PortalConfig
from .event import Actor, PortalEvent

__all__ = ["PortalLogo"]


class PortalLogoQuerySet(models.QuerySet["PortalLogo"]):
    """Logos in bulk, and the verb that stores one."""

    def store(
        self, config: PortalConfig, data: bytes, *, dark: bool = False, actor: Actor = PortalEvent.SYSTEM
    ) -> PortalLogo:
        """Make ``data`` the portal's logo and return its row; an earlier one goes.

        :param dark: for dark pages only; without one the logo stands on a white tile there.
        :param actor: who stores it, for the audit trail.
        :raises ImageError: it is no image that we take; see :func:`portal.images.clean_image`.
        :raises ImportError: Pillow is not installed.
        """
        image = clean_image(data)
        digest = hashlib.sha256(image.content).hexdigest()[:12]
        values = {"content": image.content, "content_type": image.content_type}
        name = f"logo.{digest}.{image.extension}"
        column = "logo_dark_file" if dark else "logo_file"
        setattr(config, column, name)
        self._for_write = True
        with transaction.atomic(using=self.db):
            logo, _created = self.update_or_create(config=config, dark=dark, defaults={**values, "name": name})
            config.save(using=self.db, update_fields=(column,), actor=actor)
        return logo


class PortalLogo(models.Model):
    """One image. Kept out of the portal's own row, which every request reads."""

    config = models.ForeignKey(PortalConfig, verbose_name=_("portal"), on_delete=models.CASCADE, related_name="logos")
    dark = models.BooleanField(_("for dark pages"), default=False)
    name = models.CharField(_("file name"), max_length=32, editable=False)
    content_type = models.CharField(_("content type"), max_length=32, editable=False)
    content = models.BinaryField(_("content"), editable=False)

    objects = PortalLogoQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("logo")
        verbose_name_plural = _("logos")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("config", "dark"), name="portal_logo_config"),)

    def __str__(self) -> str:
        return self.name
