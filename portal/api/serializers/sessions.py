"""The bodies of minting and exchanging, in the two dialects of the contract (sections 2, 3 and 8)."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers

from portal import origins, permissions, slugs
from portal.api.fields import BooleanField, IntegerField, ObjectField, StringField, StringListField
from portal.session_options import MAX_LOCALE_LENGTH, MAX_NAME_LENGTH

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
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]")
_PORTAL = re.compile(r"[a-zA-Z0-9_-]+")

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

    default_error_messages = {"pattern": slugs.RULE[0].upper() + slugs.RULE[1:] + "."}
    pattern = _SLUG

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=slugs.MIN_LENGTH, max_length=slugs.MAX_LENGTH, **kwargs)


class PortalNameField(StringField):
    """A portal's id or slug, by the contract's pattern, which admits what can be neither: that is not found."""

    default_error_messages = {"pattern": "This must be a portal's id or slug: ASCII letters, digits, _ and -."}
    pattern = _PORTAL

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=3, max_length=255, **kwargs)


class CreateSessionSerializer(StrictSerializer):
    """What both dialects of ``portal.createSession`` have; next, locale, displayName, ttl and metadata are ours."""

    externalId = StringField(max_length=256, help_text="your id of the user")
    preview = BooleanField(default=False, help_text="a session that can look at everything and change nothing")
    returnUrl = StringField(
        max_length=origins.MAX_URL_LENGTH,
        required=False,
        help_text="where “Back to …” leads, in place of the portal's own; its origin must be a return origin of the portal",
    )
    next = StringField(
        max_length=origins.MAX_URL_LENGTH,
        required=False,
        help_text="the page that the user lands on, in place of the first tab: see first page",
    )
    locale = StringField(
        max_length=MAX_LOCALE_LENGTH,
        required=False,
        help_text="the user's language, such as `de` or `pt-BR`; ignored if the pages are not translated into it",
    )
    displayName = StringField(
        max_length=MAX_NAME_LENGTH,
        required=False,
        help_text="the user's name, as the pages show it; `externalId` by default",
    )
    ttl = IntegerField(
        low=1,
        high=_TEN_YEARS,
        required=False,
        help_text="how many seconds the session lives once exchanged, at most `SESSION_TTL`, which is the default",
    )
    metadata = ObjectField(
        required=False,
        help_text="at most 2,048 bytes of JSON for your own code: `request.auth.metadata` in views, `event.metadata` in "
        "signals. Users never see it",
    )


class SlugSessionSerializer(CreateSessionSerializer):
    """Body of ``portal.createSession`` in the dialect of generations 1 and 2."""

    elsewhere = dict.fromkeys(("portal", "scopes"), _ONE_DIALECT)

    slug = SlugField(help_text="the portal")
    permissions = StringListField(
        child=PermissionField(max_length=512), max_length=256, help_text="what the user may do: see permissions"
    )


class ScopedSessionSerializer(CreateSessionSerializer):
    """Body of ``portal.createSession`` in the dialect of generations 3 and 4."""

    elsewhere = dict.fromkeys(("slug", "permissions"), _ONE_DIALECT)

    portal = PortalNameField(help_text="the portal's id, `prt_…`, or its slug")
    scopes = StringListField(
        child=ScopeField(max_length=512),
        max_length=256,
        help_text="capabilities, no tuples; `keys:reroll` and `analytics:read` need `keys:read` beside them",
    )

    def validate_scopes(self, value: list[str]) -> list[str]:
        """Return the scopes, or fail where one is of no use without keys:read."""
        lame = [scope for scope in _NEED_READ if scope in value]
        if lame and "keys:read" not in value:
            raise serializers.ValidationError(f"Add keys:read: {' and '.join(lame)} can do nothing without it.")
        return value


class ExchangeSessionSerializer(StrictSerializer):
    """Body of ``portal.exchangeSession``."""

    sessionId = StringField(max_length=512, help_text="the `sessionId` of createSession")


class ExchangeCodeSerializer(StrictSerializer):
    """Body of ``portal.exchangeCode``."""

    code = StringField(max_length=512, help_text="the code in the `url` of createSession")
