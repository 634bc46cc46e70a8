"""The forms of root keys in the admin: make one, choose how its old secret ends, choose what ends with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminRadioSelect, AdminTextareaWidget, FilteredSelectMultiple
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import clock, permissions
from portal.models import PortalConfig, RootKey

from .fields import CapabilitiesField, PortalsField
from .once import SentOnceForm

__all__ = ["CreateRootKeyForm", "DisableForm", "EditRootKeyForm", "RotateForm"]

_HOUR = 3600

#: How long the old secret may keep working, in seconds.
_GRACE = (
    (0, gettext_lazy("At once: the secret has leaked")),
    (_HOUR, gettext_lazy("In one hour")),
    (24 * _HOUR, gettext_lazy("In 24 hours")),
    (7 * 24 * _HOUR, gettext_lazy("In seven days")),
)

#: What a key may do with portals by API, beside minting: the actions of ``portal.permissions.PORTAL_ACTIONS`` in words.
_MANAGES = (
    ("read_portal", gettext_lazy("Read their settings")),
    ("update_portal", gettext_lazy("Change their name, slug, keyspace, brand, and whether they are enabled")),
    ("delete_portal", gettext_lazy("Delete them, with all their sessions")),
    ("create_portal", gettext_lazy("Create new ones")),
)


class EditRootKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What may be edited of a root key: neither its secret nor what it may do."""

    class Meta:
        """The admin chooses the fields."""

        model = RootKey
        fields = ("name", "expires_at")

    def clean_expires_at(self) -> Any:
        """Refuse a new time that has passed: whoever wants the key off now should see it disabled."""
        moment = self.cleaned_data["expires_at"]
        if moment is not None and "expires_at" in self.changed_data and moment <= clock.now():
            raise ValidationError(_("Choose a time in the future, or disable the key."), code="past")
        return moment


class _PortalsWidget(FilteredSelectMultiple):
    # In an element of its own: its script puts what it makes before everything in its parent, the label included.
    template_name = "admin/portal/rootkey/portals.html"


class CreateRootKeyForm(SentOnceForm, EditRootKeyForm):
    """A root key with a picker for what it may do; :attr:`granted` holds the permissions once the form is valid."""

    mint = forms.ChoiceField(
        label=gettext_lazy("Mints sessions"),
        choices=(
            ("all", gettext_lazy("for every portal")),
            ("chosen", gettext_lazy("for the portals chosen below")),
            ("none", gettext_lazy("for no portal")),
        ),
        initial="all",
        widget=AdminRadioSelect(attrs={"class": "radiolist"}),
    )
    portals = PortalsField(
        label=gettext_lazy("Portals"),
        queryset=PortalConfig.objects.all(),
        required=False,
        widget=_PortalsWidget(gettext_lazy("portals"), is_stacked=False),
    )
    capabilities = CapabilitiesField(
        label=gettext_lazy("Capabilities"),
        initial=permissions.CAPABILITIES,
        required=False,
        help_text=gettext_lazy("What its sessions may do at most."),
    )
    manages = forms.MultipleChoiceField(
        label=gettext_lazy("Manages portals by API"),
        choices=_MANAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "The portals chosen above, or every portal if none is chosen. Creating one is not tied to any."
        ),
    )
    tuples = forms.CharField(
        label=gettext_lazy("More permissions"),
        required=False,
        strip=False,  # an empty first line counts
        widget=AdminTextareaWidget(
            attrs={"rows": 4, "spellcheck": "false", "placeholder": "api.ks_1.read_key\napi.*.verify_key"}
        ),
        help_text=gettext_lazy("One per line, for example api.ks_1.read_key: reading keys, in that keyspace only."),
    )
    everything = forms.BooleanField(
        label=gettext_lazy("Everything, now and in later releases"),
        required=False,
        help_text=gettext_lazy(
            "Dangerous: anyone holding this key can create a session for any user at any portal. This overrides the choices "
            "above."
        ),
    )

    granted: list[str]

    def clean_tuples(self) -> list[str]:
        """Return the permissions.

        :raises ValidationError: one message for each wrong line.
        """
        found, problems = [], []
        for number, line in enumerate(self.cleaned_data["tuples"].splitlines(), start=1):
            written = line.strip()
            if written == permissions.EVERYTHING:
                problems.append(
                    _("Line %(number)s, “*”: tick “everything” instead, if you mean it.") % {"number": number}
                )
            elif written and not permissions.is_root_key_permission(written):
                problems.append(
                    _("Line %(number)s, “%(written)s”: write three parts and dots, for example api.*.read_key.")
                    % {"number": number, "written": written}
                )
            elif written:
                found.append(written)
        if problems:
            raise ValidationError(problems)
        return found

    def clean(self) -> dict[str, Any]:
        """Put the permissions together."""
        values = super().clean() or self.cleaned_data
        portals = [portal.public_id for portal in values.get("portals") or ()]
        chosen = [f"portal.{portal}.create_portal_session" for portal in portals]
        mint = {"all": ["portal.*.create_portal_session"], "chosen": chosen}.get(values.get("mint", ""), [])
        if values.get("mint") == "chosen" and not chosen:
            self.add_error("portals", _("Choose a portal."))
        manages = [
            f"portal.{portal}.{action}"
            for action in values.get("manages", ())
            # Those chosen, also where the key mints for all or none: nobody chooses portals to have every one managed.
            for portal in (portals if portals and action != "create_portal" else ["*"])
        ]
        granted = [*mint, *manages, *values.get("capabilities", ()), *values.get("tuples", ())]
        self.granted = [permissions.EVERYTHING] if values.get("everything") else list(dict.fromkeys(granted))
        if not self.granted and not self.errors:
            raise ValidationError(_("Choose at least one permission."), code="required")
        return values


class RotateForm(forms.Form):
    """When the old secret ends, and which secret that is."""

    grace = forms.TypedChoiceField(
        label=gettext_lazy("The old secret ends"),
        choices=_GRACE,
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        initial=24 * _HOUR,
        widget=AdminRadioSelect(attrs={"class": "radiolist"}),
    )
    version = forms.CharField(required=False, widget=forms.HiddenInput)


class DisableForm(forms.Form):
    """Whether the sessions end too."""

    end_sessions = forms.BooleanField(
        label=gettext_lazy("Also end all sessions that it minted"),
        required=False,
        help_text=gettext_lazy("Choose this when the key has leaked: whoever had it may have minted sessions with it."),
    )
