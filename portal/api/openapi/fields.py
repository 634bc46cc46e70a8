"""Bodies: what our own serializers and their fields take, as JSON Schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers

from portal.api.fields import BooleanField, IntegerField, ObjectField, StringField, StringListField
from portal.api.serializers.base import StrictSerializer
from portal.api.serializers.keys import KeyNameField
from portal.api.serializers.portals import LogoUrlField
from portal.api.serializers.sessions import PermissionField, ScopeField
from portal.keystore.actions import MAX_NAME
from portal.permissions import CAPABILITIES

from .schemas import CAPABILITY, Schema, items

__all__ = ["BodySchema", "FieldSchema"]

_SOME_FIELD: type[serializers.Field[Any, Any, Any, Any]] = serializers.Field


class BodySchema(OpenApiSerializerExtension):
    """A body: nothing but its members, as it is validated."""

    target_class = StrictSerializer
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """Return the component's name, such as ``CreateKeyRequest``."""
        return type(self.target).__name__.replace("Serializer", "Request")

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """Return the schema of all members."""
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        # Docstrings speak to who reads the code.
        schema.pop("description", None)
        for member in schema.get("properties", {}).values():
            # Our way to say "left out"; who sends it is refused.
            if member.get("default") == "":
                del member["default"]
        return {**schema, "additionalProperties": False}


class FieldSchema(OpenApiSerializerFieldExtension):
    """A field of ours: its type, and its bounds in characters, numbers and words."""

    target_class = _SOME_FIELD
    match_subclasses = True

    @classmethod
    def _matches(cls, target: Any) -> bool:
        # One extension for all of ours, and for none of the host's.
        return isinstance(target, StringField | IntegerField | BooleanField | ObjectField | StringListField)

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """Return the schema of one member; drf-spectacular adds its description, its default and null."""
        match self.target:
            case ScopeField():
                return CAPABILITY
            case StringField():
                return _text(self.target)
            case StringListField(child=child, allow_empty=may_be_empty, max_length=longest):
                schema = auto_schema._map_serializer_field(child, direction)
                return items(schema, minItems=0 if may_be_empty else 1, maxItems=longest)
            case IntegerField():
                return {"type": "integer", "format": "int64", "minimum": self.target.low, "maximum": self.target.high}
            case BooleanField():
                return {"type": "boolean"}
        return {"type": "object", "additionalProperties": True}


def _text(field: StringField) -> Schema:
    if isinstance(field, KeyNameField):
        return {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
    schema: Schema = {"type": "string", "minLength": field.min_length, "maxLength": field.max_length}
    if isinstance(field, LogoUrlField):
        schema["format"] = "uri"
    if isinstance(field, PermissionField):
        # Three parts, which no capability has, or a capability.
        schema["pattern"] = rf"^(?:[^.]+\.[^.]+\.[^.]+|{'|'.join(CAPABILITIES)})$"
    elif field.pattern is not None:
        schema["pattern"] = f"^{field.pattern.pattern}$"
    return schema
