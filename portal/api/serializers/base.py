"""What all bodies share: members that are not listed are refused, and errors become the contract's ``errors[]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.fields import empty

from portal.errors import FieldError

__all__ = ["MAX_FINDINGS", "EmptySerializer", "StrictSerializer", "findings"]

_Field = serializers.Field[Any, Any, Any, Any]

#: A body of thousands of mistakes gets no answer many times its size.
MAX_FINDINGS = 20
_MAX_NAME = 64

_FIXES = {
    "required": "Add the member.",
    "null": "Leave the member out, or give it a value.",
    "unknown": "Remove the member.",
}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members that it does not list."""

    #: What to say of members that belong to another form of the body; of all others, that they are not known.
    elsewhere: ClassVar[Mapping[str, str]] = {}

    @cached_property
    def _members(self) -> dict[str, tuple[_Field, Callable[[Any], Any] | None]]:
        return {name: (field, getattr(self, f"validate_{name}", None)) for name, field in self.fields.items()}

    def run_validation(self, data: Any = empty) -> dict[str, Any]:
        """Return the validated members of the object ``data``.

        As DRF's own, but for what no body here has: members that are only read, and validators of the whole. That one
        raises and catches an exception for each member that is left out.

        :raises ValidationError: with all that is wrong, by member.
        """
        unknown = data.keys() - self._members.keys()
        if unknown:
            named = sorted(unknown)[:MAX_FINDINGS]
            raise serializers.ValidationError(
                {name[:_MAX_NAME]: [self.elsewhere.get(name, "This member is not known.")] for name in named},
                code="unknown",
            )
        values, errors = {}, {}
        for name, (field, validate) in self._members.items():
            try:
                if name in data:
                    value = field.run_validation(data[name])
                    values[name] = value if validate is None else validate(value)
                elif field.required:
                    field.fail("required")
                elif field.default is not empty:
                    values[name] = field.default
            except serializers.ValidationError as error:
                errors[name] = error.detail
        if errors:
            raise serializers.ValidationError(errors)
        return values


class EmptySerializer(StrictSerializer):
    """The body ``{}``."""


def findings(errors: Any, location: str = "body") -> Iterator[FieldError]:
    """Yield a serializer's errors as the contract's ``errors[]``, with dotted locations (``body.permissions[0]``)."""
    if isinstance(errors, dict):
        for name, inner in errors.items():
            yield from findings(inner, f"{location}[{name}]" if isinstance(name, int) else f"{location}.{name}")
        return
    for error in errors:
        finding: FieldError = {"location": location, "message": str(error)}
        if fix := _FIXES.get(error.code):
            finding["fix"] = fix
        yield finding
