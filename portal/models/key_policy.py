"""What an operator allows the users of a portal to do with their keys; columns of the portal itself."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .validators import validate_grace_periods, validate_key_permissions, validate_key_prefix

__all__ = ["DEFAULT_GRACE_PERIODS", "KeyPolicyFields"]

#: At once, 15 minutes, an hour, a day, a week; in seconds.
DEFAULT_GRACE_PERIODS = (0, 900, 3600, 86400, 604800)

#: A century; a date that far ahead can still be written in every database.
_MAX_DAYS = 36500
_DAYS = (MinValueValidator(1), MaxValueValidator(_MAX_DAYS))


def _default_grace_periods() -> list[int]:
    return list(DEFAULT_GRACE_PERIODS)


class KeyPolicyFields(models.Model):
    """The fields; :class:`portal.keystore.KeyPolicy` is what they mean."""

    key_prefix = models.CharField(
        _("prefix of new keys"),
        max_length=16,
        default="sk",
        validators=[validate_key_prefix],
        help_text=_(
            "What new keys begin with, for example “acme_live”. A prefix of your own lets secret scanners find them."
        ),
    )
    key_default_days = models.PositiveIntegerField(
        _("default life in days"),
        default=90,
        validators=_DAYS,
        help_text=_("Used when none is chosen."),
    )
    key_longest_days = models.PositiveIntegerField(
        _("longest life in days"), null=True, blank=True, default=365, validators=_DAYS, help_text=_("Empty: no limit.")
    )
    key_never_expires = models.BooleanField(
        _("keys may never expire"), default=False, help_text=_("Whether users may choose “Never”.")
    )
    key_limit = models.PositiveIntegerField(
        _("keys per user"),
        null=True,
        blank=True,
        default=10,
        help_text=_("How many keys one user may have at a time. Empty: no limit."),
    )
    key_permissions = models.JSONField(
        _("permissions offered"),
        default=list,
        blank=True,
        validators=[validate_key_permissions],
        help_text=_(
            "What users may choose for a key, in your API's words, for example “maps.read”. None: keys have none."
        ),
    )
    key_default_permissions = models.JSONField(
        _("default permissions"),
        default=list,
        blank=True,
        validators=[validate_key_permissions],
        help_text=_("What a new key has when nothing is said; among those offered."),
    )
    key_grace_periods = models.JSONField(
        _("grace periods"),
        default=_default_grace_periods,
        validators=[validate_grace_periods],
        help_text=_("For how many seconds an old secret may keep working after a rotation; 0 is “at once”."),
    )
    api_url = models.CharField(
        _("address of your API"),
        max_length=500,
        blank=True,
        help_text=_("Shown in examples of how to use a key, for example https://api.example.com/v1."),
    )

    class Meta:
        """Columns of :class:`~portal.models.PortalConfig`, not a table."""

        abstract = True

    def key_policy_problems(self) -> dict[str, ValidationError]:
        """Return what is wrong between the fields, by field."""
        problems = {}
        if self.key_longest_days is not None and (self.key_default_days or 0) > self.key_longest_days:
            problems["key_default_days"] = ValidationError(
                _("The default life is longer than the longest."), code="life"
            )
        offered, default = self.key_permissions, self.key_default_permissions
        if (
            isinstance(offered, list)
            and isinstance(default, list)
            and not set(map(str, default)) <= set(map(str, offered))
        ):
            problems["key_default_permissions"] = ValidationError(
                _("These are not among the permissions offered."), code="permissions"
            )
        return problems
