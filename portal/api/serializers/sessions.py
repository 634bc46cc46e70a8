"""The bodies of minting and exchanging, in the two dialects of the contract (sections 2, 3 and 8)."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers

from portal import origins, permissions, slugs
from portal.api.fields import BooleanField, IntegerField, ObjectField, StringField, StringListField
from portal.session_options import MAX_NAME_LENGTH

from .base import StrictSerializer

__all__ = [
    "CreateSessionSerializer",
    "ExchangeCodeSerializer",
    "ExchangeSessionSerializer",
    "PortalNameField",
    "ScopedSessionSerializer",
    "SlugField",
    "SlugSessionSerializer",
]

# The contract's pattern; it admits "--", which the operation refuses in words of its own.
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]\Z")
_PORTAL = re.compile(r"[a-zA-Z0-9_-]+\Z")

#: The scopes that show nothing without keys:read (contract section 2, generation 4).
_NEED_READ = ("keys:reroll", "analytics:read")

_ONE_DIALECT = "Use slug with permissions, or portal with scopes; the two do not mix."
_TEN_YEARS = 315_360_000


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


class ScopeField(StringField):
    """One scope: a capability, in the words of the newer dialect."""

    default_error_messages = {"scope": "This must be one of " + ", ".join(permissions.CAPABILITIES) + "."}

    def to_internal_value(self, data: Any) -> str:
        """Return the scope, or fail."""
        value = super().to_internal_value(data)
        if not permissions.is_capability(value):
            self.fail("scope")
        return value


class SlugField(StringField):
    """A portal's slug, by the contract's pattern."""

    default_error_messages = {"slug": slugs.RULE[0].upper() + slugs.RULE[1:] + "."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=slugs.MIN_LENGTH, max_length=slugs.MAX_LENGTH, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the slug, or fail."""
        value = super().to_internal_value(data)
        if not _SLUG.match(value):
            self.fail("slug")
        return value


class PortalNameField(StringField):
    """A portal's id or slug, by the contract's pattern, which admits what can be neither: that is not found."""

    default_error_messages = {"portal": "This must be a portal's id or slug: ASCII letters, digits, _ and -."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=3, max_length=255, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the name, or fail."""
        value = super().to_internal_value(data)
        if not _PORTAL.match(value):
            self.fail("portal")
        return value


class CreateSessionSerializer(StrictSerializer):
    """What both dialects of ``portal.createSession`` have; next, locale, displayName, ttl and metadata are ours."""

    externalId = StringField(max_length=256)
    preview = BooleanField(default=False)
    returnUrl = StringField(max_length=origins.MAX_URL_LENGTH, required=False)
    next = StringField(max_length=origins.MAX_URL_LENGTH, required=False)
    locale = StringField(max_length=256, required=False)
    displayName = StringField(max_length=MAX_NAME_LENGTH, required=False)
    ttl = IntegerField(low=1, high=_TEN_YEARS, required=False)
    metadata = ObjectField(required=False)


class SlugSessionSerializer(CreateSessionSerializer):
    """Body of ``portal.createSession`` in the dialect of generations 1 and 2."""

    elsewhere = dict.fromkeys(("portal", "scopes"), _ONE_DIALECT)

    slug = SlugField()
    permissions = StringListField(child=PermissionField(max_length=512), max_length=256)


class ScopedSessionSerializer(CreateSessionSerializer):
    """Body of ``portal.createSession`` in the dialect of generations 3 and 4."""

    elsewhere = dict.fromkeys(("slug", "permissions"), _ONE_DIALECT)

    portal = PortalNameField()
    scopes = StringListField(child=ScopeField(max_length=512), max_length=256)

    def validate_scopes(self, value: list[str]) -> list[str]:
        """Return the scopes, or fail where one is of no use without keys:read."""
        lame = [scope for scope in _NEED_READ if scope in value]
        if lame and "keys:read" not in value:
            raise serializers.ValidationError(f"Add keys:read: {' and '.join(lame)} can do nothing without it.")
        return value


class ExchangeSessionSerializer(StrictSerializer):
    """Body of ``portal.exchangeSession``."""

    sessionId = StringField(max_length=512)


class ExchangeCodeSerializer(StrictSerializer):
    """Body of ``portal.exchangeCode``."""

    code = StringField(max_length=512)
