"""The forms of API keys in the admin: make one, set what is the operator's to set, choose how the old secret ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminRadioSelect, AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import clock
from portal.admin.changes import ChangesForm
from portal.admin.fields import KeyPermissionsField, PortalField
from portal.admin.once import SentOnceForm
from portal.admin.periods import period
from portal.contrib.keys.models import ApiKey
from portal.contrib.keys.models.validators import validate_metadata
from portal.keystore import KeyPolicy
from portal.keystore.actions import name_problem
from portal.keystore.base import Owner
from portal.models import PortalConfig

__all__ = ["CreateKeyForm", "EditKeyForm", "RotateKeyForm"]


def _future(moment: datetime | None, text: str) -> datetime | None:
    if moment is not None and moment <= clock.now():
        raise ValidationError(text, code="past")
    return moment


class _MetadataField(forms.JSONField):
    """A JSON object; none is an empty one."""

    def to_python(self, value: Any) -> Any:
        """Return the JSON. Python's reader has limits that Django does not know of: on nesting, on digits of a number."""
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value}) from None

    def clean(self, value: Any) -> Any:
        """Return the object. Checked here, because a model's validators are not asked about what is empty, as [] is."""
        found = super().clean(value)
        validate_metadata({} if found is None else found)
        return found or {}

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the text as it was typed: written anew, it may have half characters, which no page can show."""
        return initial if self.disabled or data is None else InvalidJSONInput(data)


class EditKeyForm(ChangesForm):
    """What an operator may set of a key. Its name and its switch are its owner's."""

    class Meta:
        """The admin chooses which of the fields there are."""

        model = ApiKey
        fields = ("expires_at", "permissions", "metadata", "rate_limit", "rate_limit_seconds")
        field_classes: ClassVar[dict[str, Any]] = {"permissions": KeyPermissionsField, "metadata": _MetadataField}
        widgets = {"metadata": AdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false"})}
        help_texts = {
            "expires_at": gettext_lazy("Empty: it never expires."),
            "permissions": gettext_lazy("What the key may do in your API, one per line."),
            "metadata": gettext_lazy(
                "A JSON object that your API gets with every verified key. The key's owner may see it."
            ),
            "rate_limit": gettext_lazy("How many requests the key may make in each window. Empty: no limit."),
        }

    def clean_expires_at(self) -> datetime | None:
        """Refuse a new time that has passed: whoever wants the key off now should see it locked."""
        moment: datetime | None = self.cleaned_data["expires_at"]
        if "expires_at" not in self.changed_data:
            return moment
        return _future(moment, _("Choose a time in the future, or lock the key."))


class CreateKeyForm(SentOnceForm, forms.ModelForm):  # type: ignore[type-arg]
    """A key for a user of a portal."""

    portal = PortalField(label=gettext_lazy("Portal"), queryset=PortalConfig.objects.all())
    external_id = forms.CharField(
        label=gettext_lazy("External id"),
        max_length=256,
        strip=False,
        widget=AdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Your id of the user whose key it will be, exactly as your backend sends it."),
    )
    never_expires = forms.BooleanField(label=gettext_lazy("It never expires"), required=False)
    permissions = KeyPermissionsField(
        label=gettext_lazy("Permissions"),
        required=False,
        help_text=gettext_lazy(
            "What the key may do in your API, one per line. Empty: the portal's default permissions."
        ),
    )

    class Meta:
        """The admin chooses the fields."""

        model = ApiKey
        fields = ("name", "expires_at")
        help_texts = {
            "name": gettext_lazy("Its owner sees it, and may change it."),
            "expires_at": gettext_lazy("Empty: after the portal's default life."),
        }

    def clean_name(self) -> str:
        """Hold the name to the rules for names that users give."""
        name: str = self.cleaned_data["name"]
        if problem := name_problem(name):
            raise ValidationError(_(problem), code="name")
        return name

    def clean_expires_at(self) -> datetime | None:
        """Refuse a time that has passed."""
        return _future(self.cleaned_data["expires_at"], _("Choose a time in the future."))

    def clean(self) -> dict[str, Any]:
        """Put in the portal's defaults, and refuse a name that the user has given already."""
        values = super().clean() or self.cleaned_data
        config, external_id, name = (values.get(field) for field in ("portal", "external_id", "name"))
        if values.get("never_expires") and values.get("expires_at"):
            self.add_error("expires_at", _("Leave this empty if the key never expires."))
        if config is None:
            return values
        policy = KeyPolicy.of(config)
        if not values.get("expires_at") and not values.get("never_expires"):
            values["expires_at"] = policy.default_expiry(clock.now())
        values["permissions"] = values.get("permissions") or [*policy.default_permissions]
        owned = ApiKey.objects.owned_by(Owner(config, "").keyspace_id, external_id or "")
        if owned.filter(name=name or "").exists():
            self.add_error("name", _("This user has a key of this name. Choose another name."))
        return values


class RotateKeyForm(forms.Form):
    """When the old secret ends, and which state of the key the operator saw."""

    grace = forms.TypedChoiceField(
        label=gettext_lazy("The old secret ends"),
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        widget=AdminRadioSelect(attrs={"class": "radiolist"}),
    )
    revision = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, config: PortalConfig, revision: int) -> None:
        policy = KeyPolicy.of(config)
        # At once is always there: a secret may have leaked.
        seconds = sorted({0, *(int(length.total_seconds()) for length in policy.grace_periods)})
        default = int(policy.default_grace().total_seconds())
        super().__init__(data, initial={"grace": default, "revision": revision})
        grace = self.fields["grace"]
        assert isinstance(grace, forms.TypedChoiceField)  # noqa: S101
        grace.choices = [(number, _label(number)) for number in seconds]


def _label(seconds: int) -> str:
    return _("In %(period)s") % {"period": period(seconds)} if seconds else _("At once: the secret has leaked")
