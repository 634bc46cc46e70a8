"""Form fields of columns that no stock field fits: lists as lines or checkboxes, a color, portals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal.models.validators import validate_key_permissions
from portal.origins import OriginError, origin_of, parse_origin
from portal.permissions import CAPABILITIES, ordered

from .periods import USUAL_GRACE_PERIODS, period

__all__ = [
    "CapabilitiesField",
    "ColorWidget",
    "GracePeriodsField",
    "KeyPermissionsField",
    "OriginsField",
    "PortalField",
    "PortalsField",
]


class _LinesField(forms.Field):
    """A list of texts, one per line; duplicates and empty lines go.

    ``encoder`` and ``decoder`` are what the model's JSONField offers to its form field.
    """

    widget = AdminTextareaWidget
    placeholder: ClassVar[str]

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the attributes of the textarea: what is written there is no prose."""
        return {"rows": 4, "spellcheck": "false", "placeholder": self.placeholder}

    def prepare_value(self, value: Any) -> Any:
        """Return the text to edit: a stored list as lines, and what was typed as it is."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """Return the texts of the lines.

        :raises ValidationError: one message for each wrong line.
        """
        found, problems = [], []
        for number, line in enumerate((value or "").splitlines(), start=1):
            if written := line.strip():
                try:
                    found.append(self.read(number, written))
                except ValidationError as problem:
                    problems.append(problem)
        if problems:
            raise ValidationError(problems)
        return list(dict.fromkeys(found))

    def read(self, number: int, written: str) -> str:
        """Return what line ``number`` means.

        :raises ValidationError: nothing; the message begins with the line's number.
        """
        raise NotImplementedError


class OriginsField(_LinesField):
    """A list of origins. What is only spelled differently is put into normal form."""

    placeholder = "https://app.example.com"

    def read(self, number: int, written: str) -> str:
        """Return the origin in normal form, or say, where it can be told, what to write."""
        try:
            return parse_origin(written)
        except OriginError as error:
            raise _problem(number, written, error) from None


class KeyPermissionsField(_LinesField):
    """A list of permissions of API keys."""

    placeholder = "maps.read"

    def read(self, number: int, written: str) -> str:
        """Return the permission."""
        try:
            validate_key_permissions([written])
        except ValidationError:
            text = _(
                "Line %(number)s, “%(written)s”: use 1 to 100 letters, digits and any of _ . : * / -, for example maps.read."
            )
            raise ValidationError(text, code="permission", params={"number": number, "written": written}) from None
        return written


def _problem(number: int, written: str, error: OriginError) -> ValidationError:
    better = _better(written)
    text = _("Line %(number)s, “%(written)s”: %(problem)s")
    if better:
        text += " " + _("Write: %(better)s")
    params = {"number": number, "written": written, "problem": _(str(error)), "better": better}
    return ValidationError(text, code="origin", params=params)


def _better(written: str) -> str:
    """Return the origin that was probably meant, or an empty string."""
    for candidate in (written, "https://" + written.rpartition("://")[2]):
        try:
            return parse_origin(origin_of(candidate) or "")
        except OriginError:
            continue
    return ""


class CapabilitiesField(forms.MultipleChoiceField):
    """A list of capabilities, as checkboxes; ``encoder`` and ``decoder`` as for :class:`OriginsField`."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(choices=[(name, name) for name in CAPABILITIES], **kwargs)

    def clean(self, value: Any) -> list[str]:
        """Return the capabilities in their usual order."""
        return ordered(super().clean(value))


class GracePeriodsField(forms.TypedMultipleChoiceField):
    """For how long old secrets may keep working, in seconds, the shortest first, as checkboxes.

    ``encoder`` and ``decoder`` as for :class:`OriginsField`.
    """

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(choices=_periods(USUAL_GRACE_PERIODS), coerce=int, **kwargs)

    def offer(self, stored: Any) -> None:
        """Offer what a portal has, though it is none of the usual periods."""
        numbers = stored if isinstance(stored, list) else []
        self.choices = _periods({*USUAL_GRACE_PERIODS, *(number for number in numbers if type(number) is int)})

    def clean(self, value: Any) -> list[int]:
        """Return the chosen periods."""
        return sorted({*super().clean(value)})


def _periods(seconds: Iterable[int]) -> list[tuple[int, str]]:
    return [(number, period(number)) for number in sorted(seconds)]


class ColorWidget(AdminTextInputWidget):
    """The color as hexadecimal text, which may be empty; where scripts run, with the browser's color picker beside it."""

    template_name = "portal/admin/color.html"

    class Media:
        """The script that ties the picker to the text."""

        js = ("portal/admin/color.js",)


class PortalField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One portal. Display names may be alike, and the wrong choice gives somebody's key to another portal's users."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and slug."""
        return f"{obj.app_name} ({obj.slug})"


class PortalsField(PortalField, forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Several portals."""
