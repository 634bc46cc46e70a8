"""What each operation takes. A member that is not listed is refused (security requirement 25)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

from portal import origins, permissions, slugs
from portal.errors import FieldError

from .fields import BooleanField, IntegerField, StringField, StringListField

__all__ = [
    "MAX_FINDINGS",
    "CreateKeySerializer",
    "CreateSessionSerializer",
    "DeleteKeySerializer",
    "EmptySerializer",
    "ExchangeSessionSerializer",
    "ListKeysSerializer",
    "RerollKeySerializer",
    "StrictSerializer",
    "UpdateKeySerializer",
    "findings",
]

# The contract's pattern; it admits "--", which the operation refuses in words of its own.
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]\Z")

#: The contract's pattern of key ids, and the last moment that it takes: the end of 2099, in Unix milliseconds.
_KEY_ID = re.compile(r"[0-9A-Za-z_]+\Z", re.ASCII)
_LAST_MOMENT = 4102444800000

#: A body of thousands of mistakes gets no answer many times its size.
MAX_FINDINGS = 20
_MAX_NAME = 64

_FIXES = {
    "required": "Add the member.",
    "null": "Leave the member out, or give it a value.",
    "unknown": "Remove the member; the operation does not know it.",
}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members that it does not list."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated members."""
        unknown = set(data) - set(self.fields)
        if unknown:
            named = sorted(unknown)[:MAX_FINDINGS]
            raise serializers.ValidationError(
                {name[:_MAX_NAME]: ["This member is not known."] for name in named}, code="unknown"
            )
        return super().to_internal_value(data)


class PermissionField(StringField):
    """One permission: a capability or an RBAC tuple."""

    default_error_messages = {
        "permission": "This must be three parts such as api.*.read_key, or one of "
        + ", ".join(permissions.CAPABILITIES)
        + "."
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the permission, or fail."""
        value = super().to_internal_value(data)
        if not permissions.is_session_permission(value):
            self.fail("permission")
        return value


class SlugField(StringField):
    """A portal's slug, by the contract's pattern."""

    default_error_messages = {"slug": slugs.RULE[0].upper() + slugs.RULE[1:] + "."}

    def to_internal_value(self, data: Any) -> str:
        """Return the slug, or fail."""
        value = super().to_internal_value(data)
        if not _SLUG.match(value):
            self.fail("slug")
        return value


class CreateSessionSerializer(StrictSerializer):
    """Body of ``portal.createSession`` (wire contract section 2, generation 1, and ``returnUrl``)."""

    slug = SlugField(min_length=slugs.MIN_LENGTH, max_length=slugs.MAX_LENGTH)
    externalId = StringField(max_length=256)
    permissions = StringListField(child=PermissionField(max_length=512), max_length=256)
    preview = BooleanField(default=False)
    returnUrl = StringField(max_length=origins.MAX_URL_LENGTH, default="")


class ExchangeSessionSerializer(StrictSerializer):
    """Body of ``portal.exchangeSession`` (wire contract section 3)."""

    sessionId = StringField(max_length=512)


class ListKeysSerializer(StrictSerializer):
    """Body of ``portal.listKeys`` (wire contract section 5)."""

    limit = IntegerField(low=1, high=100, default=100)
    cursor = StringField(max_length=512, default="")


class KeyIdField(StringField):
    """A key's id, by the contract's pattern."""

    default_error_messages = {"key_id": "This must be ASCII letters, digits and underscores."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=3, max_length=255, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the id, or fail."""
        value = super().to_internal_value(data)
        if not _KEY_ID.match(value):
            self.fail("key_id")
        return value


def _moment(**kwargs: Any) -> IntegerField:
    return IntegerField(low=0, high=_LAST_MOMENT, **kwargs)


class RerollKeySerializer(StrictSerializer):
    """Body of ``portal.rerollKey``: ``expiration`` is how long the old secret stays, in milliseconds; null is ours."""

    keyId = KeyIdField()
    expiration = _moment(allow_null=True)


# Texts of the key's own are judged by the policy, which says what the portal allows; here only what no store could take.
_NAME_SIZE = 1024


class CreateKeySerializer(StrictSerializer):
    """Body of ``portal.createKey`` (ours): ``expires`` null is never, left out the portal's default."""

    name = StringField(min_length=0, max_length=_NAME_SIZE)
    expires = _moment(required=False, allow_null=True)
    permissions = StringListField(child=StringField(max_length=100), max_length=100, allow_empty=True, required=False)


class UpdateKeySerializer(StrictSerializer):
    """Body of ``portal.updateKey`` (ours): what is left out stays."""

    keyId = KeyIdField()
    name = StringField(min_length=0, max_length=_NAME_SIZE, required=False)
    expires = _moment(required=False, allow_null=True)
    enabled = BooleanField(required=False)
    permissions = StringListField(child=StringField(max_length=100), max_length=100, allow_empty=True, required=False)


class DeleteKeySerializer(StrictSerializer):
    """Body of ``portal.deleteKey`` (ours)."""

    keyId = KeyIdField()


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
