"""What all bodies share: members that are not listed are refused, and errors become the contract's ``errors[]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from portal.errors import FieldError

__all__ = ["MAX_FINDINGS", "EmptySerializer", "StrictSerializer", "findings"]

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

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated members."""
        unknown = set(data) - set(self.fields)
        if unknown:
            named = sorted(unknown)[:MAX_FINDINGS]
            raise serializers.ValidationError(
                {name[:_MAX_NAME]: [self.elsewhere.get(name, "This member is not known.")] for name in named},
                code="unknown",
            )
        return super().to_internal_value(data)


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
