"""Serializer fields that take exactly their JSON type. DRF's own turn 1 into "1" and "yes" into True."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from rest_framework import serializers

__all__ = ["BooleanField", "IntegerField", "ObjectField", "StringField", "StringListField"]

_COMMON = {"required": "This member is required.", "null": "This member must not be null."}


class StringField(serializers.Field[str, Any, str, Any]):
    """A text, taken as it is: not trimmed, counted in characters.

    A subclass with a :attr:`pattern` has the words for it in ``default_error_messages["pattern"]``.
    """

    #: What the whole text has to look like.
    pattern: ClassVar[re.Pattern[str] | None] = None

    default_error_messages = {
        **_COMMON,
        "type": "This must be a string.",
        "short": "This must have at least {limit} characters.",
        "long": "This must have at most {limit} characters.",
    }

    def __init__(self, *, min_length: int = 1, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_length = min_length
        self.max_length = max_length

    def to_internal_value(self, data: Any) -> str:
        """Return the text, or fail with what is wrong with it."""
        if not isinstance(data, str):
            self.fail("type")
        if len(data) < self.min_length:
            self.fail("short", limit=self.min_length)
        if len(data) > self.max_length:
            self.fail("long", limit=self.max_length)
        if self.pattern is not None and not self.pattern.fullmatch(data):
            self.fail("pattern")
        return data


class BooleanField(serializers.Field[bool, Any, bool, Any]):
    """true or false."""

    default_error_messages = {**_COMMON, "type": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        """Return the value, or fail."""
        if not isinstance(data, bool):
            self.fail("type")
        return data


class IntegerField(serializers.Field[int, Any, int, Any]):
    """A whole number within bounds."""

    default_error_messages = {
        **_COMMON,
        "type": "This must be a whole number.",
        "range": "This must be a number from {low} to {high}.",
    }

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low = low
        self.high = high

    def to_internal_value(self, data: Any) -> int:
        """Return the number, or fail with what is wrong with it."""
        # bool is an int in Python and not in JSON.
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("type")
        if not self.low <= data <= self.high:
            self.fail("range", low=self.low, high=self.high)
        return data


class ObjectField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object, with whatever is in it."""

    default_error_messages = {**_COMMON, "type": "This must be an object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object, or fail."""
        if not isinstance(data, dict):
            self.fail("type")
        return data


class StringListField(serializers.ListField):
    """A list of texts, with at least one unless ``allow_empty`` says otherwise."""

    default_error_messages = {
        **_COMMON,
        "not_a_list": "This must be a list.",
        "empty": "This must have at least one item.",
        "max_length": "This must have at most {max_length} items.",
    }

    def __init__(self, *, child: StringField, max_length: int, allow_empty: bool = False, **kwargs: Any) -> None:
        super().__init__(child=child, allow_empty=allow_empty, max_length=max_length, **kwargs)
