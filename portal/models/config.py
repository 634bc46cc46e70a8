"""A portal: its name in URLs, its brand, where its users come from and what they may do at most."""

from __future__ import annotations

from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.utils.translation import gettext_lazy as _

from portal import clock, origins, slugs, tokens

from .event import Actor, PortalEvent
from .key_policy import KeyPolicyFields
from .lock import lock
from .portal_facts import PortalRules
from .validators import validate_capabilities, validate_color, validate_locale, validate_origins, validate_slug

__all__ = ["PortalConfig"]


def _portal_id() -> str:
    return tokens.public_id(tokens.PORTAL_ID)


class PortalConfigQuerySet(models.QuerySet["PortalConfig"]):
    """Portals in bulk."""

    def enabled(self) -> Self:
        """Return the portals that are open."""
        return self.filter(enabled=True)

    def for_slug(self, slug: str) -> PortalConfig:
        """Return the portal named ``slug``.

        :raises PortalConfig.DoesNotExist: there is none among these.
        """
        return self.get(slug=slug)

    def named(self, name: str) -> Self:
        """Return the portal whose id (``prt_…``) or slug ``name`` is, if there is one. No slug looks like an id."""
        return self.filter(public_id=name) if name.startswith(tokens.PORTAL_ID) else self.filter(slug=name)

    def delete(self, *, actor: Actor = PortalEvent.SYSTEM) -> tuple[int, dict[str, int]]:
        """Delete these portals and their sessions.

        The rows are written first: that waits for sessions being minted right now and refuses those that come later.
        Deleting sessions first would leave a row behind for which the database then refuses the whole deletion.
        """
        if self.query.is_sliced:
            raise TypeError("Cannot use 'limit' or 'offset' with delete().")
        self._for_write = True
        doomed = list(self.values_list("pk", flat=True))
        with transaction.atomic(using=self.db):
            # By key from here on: the condition that found them may have been "enabled".
            rows: models.QuerySet[PortalConfig] = self.model._base_manager.using(self.db).filter(pk__in=doomed)
            rows.update(enabled=False)
            # In the order of everybody who ends sessions; the cascade would take them as they lie and could deadlock.
            sessions: Any = self.model._meta.get_field("sessions").related_model
            lock(sessions._base_manager.using(self.db).filter(config__in=doomed))
            # As they are now: what somebody else deleted meanwhile is not told of twice.
            for public_id, slug in list(rows.values_list("public_id", "slug")):
                PortalEvent.record(
                    PortalEvent.Kind.PORTAL_DELETED, actor, using=self.db, portal_id=public_id, slug=slug
                )
            return models.QuerySet.delete(rows)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class PortalConfig(PortalRules, KeyPolicyFields):
    """One customer portal.

    Saving ends sessions where design decision 14 says so: all of a portal that is not enabled, and those minted for
    another keyspace than the one it now points at. Re-enabling revives none of them.
    """

    public_id = models.CharField(_("portal id"), max_length=32, default=_portal_id, editable=False)
    slug = models.CharField(
        _("slug"),
        max_length=slugs.MAX_LENGTH,
        validators=[validate_slug],
        help_text=_("The portal's name in its address: 3 to 64 lowercase letters, digits and single hyphens."),
    )
    display_name = models.CharField(
        _("display name"), max_length=64, blank=True, help_text=_("Your product's name, as its users know it.")
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Switching a portal off ends its sessions now; API keys keep working.")
    )
    keyspace_id = models.CharField(
        _("keyspace id"),
        max_length=256,
        blank=True,
        help_text=_("Which keys this portal shows, in the key store's words."),
    )
    return_url = models.CharField(
        _("return URL"),
        max_length=origins.MAX_URL_LENGTH,
        blank=True,
        help_text=_("Where “Back to …” leads. Its origin must be among the return origins."),
    )
    return_origins = models.JSONField(_("return origins"), default=list, blank=True, validators=[validate_origins])
    allowed_origins = models.JSONField(
        _("allowed origins"),
        default=list,
        blank=True,
        validators=[validate_origins],
        help_text=_("Origins whose pages may call the API with the user's cookie."),
    )
    frame_ancestors = models.JSONField(
        _("frame ancestors"),
        default=list,
        blank=True,
        validators=[validate_origins],
        help_text=_("Origins whose pages may show the portal in a frame. None may by default."),
    )
    extra_capabilities = models.JSONField(
        _("extra capabilities"),
        default=list,
        blank=True,
        validators=[validate_capabilities],
        help_text=_("Granted to every session that may read keys, in addition to what it was minted with."),
    )
    primary_color = models.CharField(_("primary color"), max_length=7, blank=True, validators=[validate_color])
    logo_url = models.CharField(_("logo URL"), max_length=origins.MAX_URL_LENGTH, blank=True)
    logo_file = models.CharField(_("uploaded logo"), max_length=32, blank=True, editable=False)
    logo_dark_file = models.CharField(_("uploaded logo for dark pages"), max_length=32, blank=True, editable=False)
    support_url = models.CharField(_("support URL"), max_length=origins.MAX_URL_LENGTH, blank=True)
    privacy_url = models.CharField(_("privacy URL"), max_length=origins.MAX_URL_LENGTH, blank=True)
    show_powered_by = models.BooleanField(_("show “powered by”"), default=True)
    locale = models.CharField(_("language"), max_length=35, blank=True, validators=[validate_locale])
    created_at = models.DateTimeField(_("created"), editable=False, default=clock.now)
    updated_at = models.DateTimeField(_("updated"), editable=False, default=clock.now)

    objects = PortalConfigQuerySet.as_manager()

    class Meta:
        """Table options."""

        verbose_name = _("portal")
        verbose_name_plural = _("portals")
        ordering = ("slug",)
        permissions = (("preview_portalconfig", "Can preview portal"),)
        constraints = (
            models.UniqueConstraint(
                fields=("slug",),
                name="portal_config_slug",
                violation_error_message=_("A portal with this slug exists already. Choose another slug."),
            ),
            models.UniqueConstraint(fields=("public_id",), name="portal_config_public_id"),
        )

    def __str__(self) -> str:
        return self.app_name

    def save(self, *args: Any, actor: Actor = PortalEvent.SYSTEM, **kwargs: Any) -> None:
        """Save the row, then end the sessions that it no longer allows, in one transaction.

        The row goes first: minting locks it, so whatever was minted before is seen by the second statement and whatever
        comes after is refused (design section 2).

        :param actor: who saves, for the audit trail.
        """
        if kwargs.get("update_fields") is not None and not kwargs["update_fields"]:
            # Django writes nothing then, so there is nothing to record either.
            return
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        # Of a portal that nobody changed yet the two are one moment, which is how getPortal knows it.
        self.updated_at = self.created_at if self._state.adding else clock.now()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "updated_at"}
        # What is not written is not judged: the instance may be stale, or changed without being meant.
        written = kwargs.get("update_fields")
        ends_sessions = written is None or not {"enabled", "keyspace_id"}.isdisjoint(written)
        is_new = self._state.adding
        with transaction.atomic(using=using):
            super().save(*args, **kwargs)
            if not is_new and ends_sessions:
                over, reason = self.sessions.using(using), "portal_disabled"
                if self.enabled:
                    over, reason = over.exclude(keyspace_id=self.keyspace_id), "keyspace_changed"
                over.revoke(actor, reason=reason, portal_id=self.public_id)
            kind = PortalEvent.Kind.PORTAL_CREATED if is_new else PortalEvent.Kind.PORTAL_CHANGED
            fields: dict[str, Any] = {} if written is None else {"fields": sorted({*written} - {"updated_at"})}
            PortalEvent.record(kind, actor, using=using, portal_id=self.public_id, slug=self.slug, **fields)

    def delete(self, *args: Any, actor: Actor = PortalEvent.SYSTEM, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the portal and its sessions; see :meth:`PortalConfigQuerySet.delete` for the order.

        :param actor: who deletes, for the audit trail.
        """
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            if not type(self)._base_manager.using(using).filter(pk=self.pk).update(enabled=False):
                return super().delete(*args, **kwargs)
            # As in the queryset's deletion: before the cascade, and in the one order.
            lock(self.sessions.using(using))
            kind = PortalEvent.Kind.PORTAL_DELETED
            PortalEvent.record(kind, actor, using=using, portal_id=self.public_id, slug=self.slug)
            return super().delete(*args, **kwargs)

    @property
    def app_name(self) -> str:
        """What pages call the product: the display name, with the slug as a last resort."""
        return self.display_name or self.slug

    def clean(self) -> None:
        """Check what concerns more than one field, and the plain URLs.

        :raises ValidationError: keyed by field.
        """
        problems: dict[str, Any] = dict(self.key_policy_problems())
        if self.keyspace_id != self.keyspace_id.strip():
            problems["keyspace_id"] = _("Leave out the spaces around it.")
        elif self.keyspace_id.startswith(tokens.PORTAL_ID) and self.keyspace_id != self.public_id:
            # It is what a portal without a keyspace id of its own has.
            problems["keyspace_id"] = _("This is the id of another portal. Give the two one keyspace id to share.")
        if self.return_url and isinstance(self.return_origins, list):
            try:
                origins.check_return_url(self.return_url, self.return_origins)
            except origins.OriginError as error:
                problems["return_url"] = _(str(error))
        for name in ("api_url", "logo_url", "privacy_url", "support_url"):
            url = getattr(self, name)
            if not url or (name == "support_url" and url.startswith("mailto:")):
                continue
            try:
                origins.check_return_url(url, [origins.origin_of(url) or ""])
            except origins.OriginError as error:
                problems[name] = _(str(error))
        if problems:
            raise ValidationError(problems)
