"""The form of a portal in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from portal.images import MAX_BYTES, ImageError, clean_image
from portal.models import PortalConfig

from .changes import ChangesForm
from .fields import CapabilitiesField, ColorWidget, GracePeriodsField, KeyPermissionsField, OriginsField

__all__ = ["LOGO_FIELDS", "PortalConfigForm"]

#: The form's upload fields, and the portal's columns that name what was uploaded.
LOGO_FIELDS = {"logo": "logo_file", "dark_logo": "logo_dark_file"}

_ORIGINS = {
    "allowed_origins": _("Origins whose pages may call the API with the user's cookie. One per line."),
    "frame_ancestors": _("Origins whose pages may show the portal in a frame. By default, none. One per line."),
    "return_origins": _("Origins that users come from and may be sent back to, such as your product's. One per line."),
}


class _Stored:
    """A stored logo, as the file widget shows it."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    def __str__(self) -> str:
        return self.name


class PortalConfigForm(ChangesForm):
    """A portal, with uploads for its logos."""

    #: Where the portal is, set by the admin for each request; empty where that is not known.
    address = ""

    #: Whether the operator switched the portal off. Everything else is saved; that waits for its own page.
    wants_disabled = False

    logo = forms.FileField(
        label=_("Upload logo"),
        required=False,
        widget=AdminFileWidget,
        help_text=_("PNG, JPEG or WebP, at most 100 KB. It comes before the logo URL."),
    )
    dark_logo = forms.FileField(
        label=_("Upload logo for dark pages"),
        required=False,
        widget=AdminFileWidget,
        help_text=_("Without one the logo stands on a white tile in dark mode."),
    )

    class Meta:
        """The fields that need words or widgets of their own; the admin chooses which fields there are."""

        model = PortalConfig
        fields = ()
        field_classes = {
            **dict.fromkeys(_ORIGINS, OriginsField),
            "extra_capabilities": CapabilitiesField,
            "key_permissions": KeyPermissionsField,
            "key_default_permissions": KeyPermissionsField,
            "key_grace_periods": GracePeriodsField,
        }
        widgets = {
            "primary_color": ColorWidget(attrs={"maxlength": 7, "placeholder": "#2563eb", "spellcheck": "false"})
        }
        help_texts = {
            **_ORIGINS,
            "keyspace_id": _(
                "Which keys this portal shows, in the key store's words. Changing it ends all sessions of this portal."
            ),
            "key_permissions": _(
                "What users may choose for a key, in your API's words, for example “maps.read”. One per line. None: keys "
                "have no permissions."
            ),
            "key_default_permissions": _(
                "What a new key has when nothing is said; some of those offered. One per line."
            ),
            "key_grace_periods": _(
                "How long the old secret may keep working after a rotation. Users choose from these."
            ),
            "locale": _(
                "A language code such as de or pt-br. Empty: the language that the visitor's browser asks for."
            ),
            "logo_url": _("An https address. Visitors' browsers load the logo from there; an upload spares them that."),
            "primary_color": _("No color is refused: where it would be hard to read, a neighboring shade is used."),
            "support_url": _("Where “Get help” leads: an https address, or mailto: and an e-mail address."),
            "privacy_url": _("Where “Privacy” leads."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        periods = self.fields.get("key_grace_periods")
        if isinstance(periods, GracePeriodsField):
            periods.offer(self.instance.key_grace_periods)
        if self.instance.pk is not None:
            self._show_stored_logos()
            if "slug" in self.fields:
                self.fields["slug"].help_text = _(
                    "Changing it breaks what holds the old name: links that are open, bookmarks, and createSession calls "
                    "of backends. They answer “not found” until they use the new one."
                )

    def _show_stored_logos(self) -> None:
        for name, column in LOGO_FIELDS.items():
            if stored := getattr(self.instance, column):
                self.initial[name] = _Stored(stored, self.address + stored)

    def columns(self) -> list[str]:
        """Return the fields of the form but the uploads."""
        return [name for name in self.fields if name not in LOGO_FIELDS]

    def clean_logo(self) -> Any:
        """Check the upload; see :meth:`_clean_upload`."""
        return self._clean_upload("logo")

    def clean_dark_logo(self) -> Any:
        """Check the upload; see :meth:`_clean_upload`."""
        return self._clean_upload("dark_logo")

    def _clean_upload(self, name: str) -> Any:
        """Return the image's bytes, False to remove the stored one, None to leave things as they are."""
        upload = self.cleaned_data[name]
        if not isinstance(upload, UploadedFile):
            return False if upload is False else None
        # One byte more than allowed is enough to refuse, and all that is read of a large file.
        data = upload.read(MAX_BYTES + 1)
        try:
            clean_image(data)
        except (ImageError, ImportError) as error:
            raise ValidationError(str(error), code="image") from None
        return data

    def clean(self) -> dict[str, Any]:
        """Keep the portal open for now, where it is to be switched off."""
        super().clean()
        if self.instance.pk is not None:
            self._ask_before_disabling()
        return self.cleaned_data

    def _ask_before_disabling(self) -> None:
        if self.instance.enabled and self.cleaned_data.get("enabled") is False:
            self.wants_disabled = True
            self.cleaned_data["enabled"] = True
            self.changed_data.remove("enabled")

    def uploads(self) -> dict[str, Any]:
        """Return what happens to the logos, by column: the bytes of a new one, or False to remove it."""
        values = {column: self.cleaned_data.get(name) for name, column in LOGO_FIELDS.items()}
        return {column: value for column, value in values.items() if value is not None}
