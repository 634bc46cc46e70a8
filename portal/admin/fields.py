"""Form fields of the portal's columns that no stock field fits: lists of origins, capabilities, a color."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal.origins import OriginError, origin_of, parse_origin
from portal.permissions import CAPABILITIES, ordered

__all__ = ["CapabilitiesField", "ColorWidget", "OriginsField"]


class OriginsField(forms.Field):
    """A list of origins, one per line. What is only spelled differently is put into normal form; duplicates go.

    ``encoder`` and ``decoder`` are what the model's JSONField offers to its form field.
    """

    widget = AdminTextareaWidget

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the attributes of the textarea: addresses are no prose."""
        return {"rows": 4, "spellcheck": "false", "placeholder": "https://app.example.com"}

    def prepare_value(self, value: Any) -> Any:
        """Return the text to edit: a stored list as lines, and what was typed as it is."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """Return the origins in normal form.

        :raises ValidationError: one message for each wrong line, with its number and, where it can be told, what to write.
        """
        found, problems = [], []
        for number, line in enumerate((value or "").splitlines(), start=1):
            written = line.strip()
            if not written:
                continue
            try:
                found.append(parse_origin(written))
            except OriginError as error:
                problems.append(_problem(number, written, error))
        if problems:
            raise ValidationError(problems)
        return list(dict.fromkeys(found))


def _problem(number: int, written: str, error: OriginError) -> ValidationError:
    better = _better(written)
    text = _("Line %(number)s, “%(written)s”: %(problem)s")
    if better:
        text += " " + _("Write: %(better)s")
    params = {"number": number, "written": written, "problem": error, "better": better}
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


class ColorWidget(AdminTextInputWidget):
    """The color as hexadecimal text, which may be empty; where scripts run, with the browser's color picker beside it."""

    template_name = "portal/admin/color.html"

    class Media:
        """The script that ties the picker to the text."""

        js = ("portal/admin/color.js",)
