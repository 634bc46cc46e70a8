"""The forms about keys: their fields, rules and messages (ui-spec 2.4, Create to Revoke, and 2.6).

They are made while the page's language is active. What a form asks is checked here, with words for people; whether it is
allowed is :mod:`portal.keystore.actions`'s to say.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.keystore.base import Key, KeyChanges
from portal.keystore.policy import KeyPolicy
from portal.templatetags.portal import moment

from .expiry import NEVER, ON_A_DATE, ChoiceLabel, ExpiryChoices
from .grace import AT_ONCE, grace_choices, grace_value
from .name_field import NameField

__all__ = ["KEEP", "CreateKeyForm", "EditKeyForm", "RevokeKeyForm", "RotateKeyForm", "used_in_words"]

#: The choice that leaves a key's end as it is.
KEEP = "keep"

_CHOOSE_EXPIRY = gettext_lazy("Choose when the key expires")
_CHOOSE_GRACE = gettext_lazy("Choose when the old secret stops working")


def used_in_words(minutes: int) -> str:
    """Return that a key was used ``minutes`` ago, as a sentence."""
    if minutes < 1:
        return _("This key was used less than a minute ago.")
    return ngettext("This key was used %(n)d minute ago.", "This key was used %(n)d minutes ago.", minutes) % {
        "n": minutes
    }


class _KeyForm(forms.Form):
    name = NameField()
    expires = forms.ChoiceField(
        label=gettext_lazy("Expires"),
        help_text=gettext_lazy("A shorter life limits the damage if a key leaks."),
        widget=forms.RadioSelect,
        error_messages={"required": _CHOOSE_EXPIRY, "invalid_choice": _CHOOSE_EXPIRY},
    )
    date = forms.DateField(
        label=gettext_lazy("Date"),
        help_text=gettext_lazy("Only for “On a date”. The key ends at 23:59 UTC on that day."),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"),
        help_text=gettext_lazy("What requests with this key may do."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("Choose from the permissions below")},
    )

    def __init__(self, data: Any = None, *, policy: KeyPolicy, now: datetime, with_permissions: bool) -> None:
        """Make the form.

        :param with_permissions: whether users may choose from any, as ``SessionKeys.offered`` says.
        """
        super().__init__(data)
        self.expiry = ExpiryChoices(policy, now)
        self.fields["expires"].choices = self.expiry.choices()  # type: ignore[attr-defined]
        if self.expiry.has_days:
            limits = {"min": self.expiry.first_day, "max": self.expiry.last_day}
            self.fields["date"].widget.attrs |= {name: day.isoformat() for name, day in limits.items() if day}
            self.fields["date"].error_messages["invalid"] = self.expiry.day_problem(None)
        else:
            del self.fields["date"]
        if with_permissions:
            self.fields["permissions"].choices = [(name, name) for name in policy.permissions]  # type: ignore[attr-defined]
        else:
            del self.fields["permissions"]

    def clean(self) -> None:
        """Look at the date where it counts, and ask where two ends were given."""
        choice = self.cleaned_data.get("expires")
        if "date" in self.fields and choice != ON_A_DATE:
            self.errors.pop("date", None)
            # The script keeps the two together. Without it, either may be what is meant, and a wrong guess ends a key.
            if choice and self["date"].data:
                self.add_error("date", _("Choose “On a date”, or empty the date."))
        elif choice == ON_A_DATE and "date" in self.cleaned_data:
            day = self.cleaned_data["date"]
            if problem := self.expiry.day_problem(day):
                self.add_error("date", problem)

    def expires_at(self) -> datetime | None:
        """Return the end that was chosen; None for never."""
        return self.expiry.moment(self.cleaned_data["expires"], self.cleaned_data.get("date"))

    def name_is_taken(self) -> None:
        """Say that another key of the owner has this name."""
        self.add_error("name", _("You already have a key called “%(name)s”") % {"name": self.cleaned_data["name"]})


class CreateKeyForm(_KeyForm):
    """A new key."""

    def __init__(self, data: Any = None, *, policy: KeyPolicy, now: datetime, with_permissions: bool) -> None:
        super().__init__(data, policy=policy, now=now, with_permissions=with_permissions)
        self.initial = {
            "expires": str(policy.default_life // timedelta(days=1)),
            "permissions": list(policy.default_permissions),
        }


class EditKeyForm(_KeyForm):
    """What the owner can change about a key; :meth:`changes` is what the form asks to change about ``key``."""

    enabled = forms.BooleanField(
        label=gettext_lazy("Key is enabled"),
        help_text=gettext_lazy("When this is off, requests with this key are refused. You can switch it on again."),
        required=False,
    )

    def __init__(self, data: Any = None, *, key: Key, policy: KeyPolicy, now: datetime, with_permissions: bool) -> None:
        super().__init__(data, policy=policy, now=now, with_permissions=with_permissions)
        self.key = key
        self.initial = {
            "name": key.name,
            "expires": KEEP,
            "permissions": list(key.permissions),
            "enabled": key.enabled,
        }
        keep = _("Keep “Never”")
        choices = self.expiry.choices()
        if key.expires_at is None:
            choices = [choice for choice in choices if choice[0] != NEVER]
        else:
            # The day stands in the hint alone: in the reader's own time it may be another than in UTC.
            keep = ChoiceLabel.with_hint(_("Keep the present end"), moment(key.expires_at))
        self.fields["expires"].choices = [(KEEP, keep), *choices]  # type: ignore[attr-defined]

    @property
    def no_longer_offered(self) -> list[str]:
        """Permissions that the key has and the operator took off the list; they go once others are chosen."""
        if "permissions" not in self.fields:
            return []
        return [name for name in self.key.permissions if name not in self.expiry.policy.permissions]

    def changes(self) -> KeyChanges:
        """Return what differs from the key; what was left alone is not written, so it cannot be refused either."""
        wanted, key, changes = self.cleaned_data, self.key, KeyChanges()
        if wanted["name"] != key.name:
            changes["name"] = wanted["name"]
        if wanted["expires"] != KEEP and self.expires_at() != key.expires_at:
            changes["expires_at"] = self.expires_at()
        if wanted["enabled"] != key.enabled:
            changes["enabled"] = wanted["enabled"]
        kept = set(key.permissions) - set(self.no_longer_offered)
        if "permissions" in self.fields and set(wanted["permissions"]) != kept:
            changes["permissions"] = tuple(wanted["permissions"])
        return changes


class RotateKeyForm(forms.Form):
    """How long the old secret keeps working."""

    grace = forms.ChoiceField(
        label=gettext_lazy("Old secret stops working"),
        widget=forms.RadioSelect,
        error_messages={"required": _CHOOSE_GRACE, "invalid_choice": _CHOOSE_GRACE},
    )
    anyway = forms.BooleanField(label=gettext_lazy("Stop it at once anyway"), required=False)
    wanted = forms.BooleanField(
        label=gettext_lazy("Yes, make a new secret for this key."),
        error_messages={"required": gettext_lazy("Tick the box to confirm")},
    )

    def __init__(
        self,
        data: Any = None,
        *,
        policy: KeyPolicy,
        now: datetime,
        supports_grace: bool,
        used_minutes: int | None,
        in_frame: bool = False,
    ) -> None:
        """Make the form.

        :param used_minutes: how many minutes ago the key was used, if within the last hour.
        :param in_frame: whether another site may show the form. Then a press may be meant for something that it laid over
            the button, so one press alone does nothing (security requirement 34).
        """
        super().__init__(data)
        self.used_minutes = used_minutes
        #: Whether the form asks once more before the old secret stops at once.
        self.asks = False
        self.initial = {"grace": grace_value(policy.default_grace())}
        self.fields["grace"].choices = grace_choices(policy, now)  # type: ignore[attr-defined]
        self.can_wait = supports_grace and policy.grace_periods[-1] > timedelta(0)
        if not supports_grace:
            del self.fields["grace"]
        if not in_frame:
            del self.fields["wanted"]

    def clean(self) -> None:
        """Ask once more before a key stops at once that is in use."""
        at_once = "grace" not in self.fields or self.cleaned_data.get("grace") == AT_ONCE
        if not at_once or self.used_minutes is None:
            return
        self.asks = True
        if self.cleaned_data.get("anyway"):
            return
        used = used_in_words(self.used_minutes)
        if self.can_wait:
            self.add_error(
                "grace", _("%(used)s Choose a later time, or tick the box to stop it at once.") % {"used": used}
            )
        else:
            self.add_error("anyway", _("%(used)s Tick the box to stop it at once.") % {"used": used})

    def period(self) -> timedelta | None:
        """Return how long the old secret stays; None where the store lets none stay."""
        return timedelta(seconds=int(self.cleaned_data["grace"])) if "grace" in self.fields else None


class RevokeKeyForm(forms.Form):
    """That the owner knows what revoking means."""

    understood = forms.BooleanField(
        label=gettext_lazy("I understand that anything using this key will stop working."),
        error_messages={"required": gettext_lazy("Tick the box to confirm")},
    )
