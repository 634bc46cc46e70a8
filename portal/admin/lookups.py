"""What the address of a list may ask of its rows: what its filters offer, and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

__all__ = ["OfferedLookups"]


class OfferedLookups(admin.ModelAdmin):  # type: ignore[type-arg]
    """The base of our admins with lists.

    Django lets the address ask about any column of the model. Of a hash that is a search for it, letter by letter
    (security requirement 7), and in a large table a walk through all of it.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow what the filters offer: those with ``parameters``, those of Django's, and those by the name of a field."""
        names, fields = set[str](), set[str]()
        offered: Any = self.get_list_filter(request) if request else self.list_filter
        for kind in (*offered, *([self.date_hierarchy] if self.date_hierarchy else [])):
            if isinstance(kind, type):
                names.update(getattr(kind, "parameters", [getattr(kind, "parameter_name", "")]))
            else:
                fields.add(kind if isinstance(kind, str) else kind[0])
        is_of_field = any(lookup == field or lookup.startswith(f"{field}__") for field in fields)
        # Django's own rule stops at the related row: whoever may list sessions must not grope for a root key's hash.
        return lookup in names or (is_of_field and super().lookup_allowed(lookup, value, request))  # type: ignore[arg-type]
