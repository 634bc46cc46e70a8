"""A form that writes what its operator changed, and leaves what somebody else saved meanwhile."""

from __future__ import annotations

from typing import Any

from django import forms

__all__ = ["ChangesForm"]


class ChangesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row's form.

    What counts as changed is what the operator changed, not what differs from the row: the form carries along what it
    showed. Whatever somebody else saved meanwhile in other fields stays (and is what this input is checked with).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            for name in self.columns():
                self.fields[name].show_hidden_initial = not self.is_bound or self._came_back(name)

    def _came_back(self, name: str) -> bool:
        """Say whether the form that was sent holds what it had shown in a field."""
        hidden = self.fields[name].hidden_widget()
        return not hidden.value_omitted_from_data(self.data, self.files, self.add_initial_prefix(name))

    def columns(self) -> list[str]:
        """Return the names of the fields that are columns of the row."""
        return [*self.fields]

    def clean(self) -> dict[str, Any]:
        """Take what the operator did not touch from the row as it is now."""
        super().clean()
        if self.instance.pk is not None:
            for name in set(self.columns()) - set(self.changed_data):
                self.cleaned_data[name] = getattr(self.instance, name)
        return self.cleaned_data

    def changed_columns(self) -> list[str]:
        """Return the columns that the operator changed."""
        return [name for name in self.columns() if name in self.changed_data]
