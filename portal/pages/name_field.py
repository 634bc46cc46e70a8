"""The field for the name of a key."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.keystore.names import MAX_NAME, NO_NAME, name_problem

__all__ = ["NameField"]

_ENTER_NAME = gettext_lazy("Enter a name for the key")


class NameField(forms.CharField):
    """The name of a key."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Name"),
            help_text=gettext_lazy("For example: Production server."),
            max_length=MAX_NAME,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
            error_messages={
                "required": _ENTER_NAME,
                "max_length": gettext_lazy("Name must be 100 characters or fewer"),
            },
        )

    def to_python(self, value: Any) -> str:
        """Return the trimmed name; refuse one that cannot be read."""
        name = super().to_python(value) or ""
        if name and len(name) <= MAX_NAME and (problem := name_problem(name)):
            raise ValidationError(_ENTER_NAME if problem == NO_NAME else _("Name must not have control characters"))
        return name
