"""The bodies of the operations on keys (wire contract section 5, and our own beside them)."""

from __future__ import annotations

import re
from typing import Any

from portal.api.fields import BooleanField, IntegerField, StringField, StringListField

from .base import StrictSerializer

__all__ = [
    "CreateKeySerializer",
    "DeleteKeySerializer",
    "KeyNameField",
    "ListKeysSerializer",
    "RerollKeySerializer",
    "UpdateKeySerializer",
]

#: The contract's pattern of key ids, and the last moment that it takes: the end of 2099, in Unix milliseconds.
_KEY_ID = re.compile(r"[0-9A-Za-z_]+")
_LAST_MOMENT = 4102444800000


class ListKeysSerializer(StrictSerializer):
    """Body of ``portal.listKeys`` (wire contract section 5)."""

    limit = IntegerField(low=1, high=100, default=100, help_text="how many at most")
    cursor = StringField(max_length=512, default="", help_text="`pagination.cursor` of the page before")


class KeyIdField(StringField):
    """A key's id, by the contract's pattern."""

    default_error_messages = {"pattern": "This must be ASCII letters, digits and underscores."}
    pattern = _KEY_ID

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "the key")
        super().__init__(min_length=3, max_length=255, **kwargs)


def moment_field(**kwargs: Any) -> IntegerField:
    """Return the field of a moment in Unix milliseconds."""
    return IntegerField(low=0, high=_LAST_MOMENT, **kwargs)


class RerollKeySerializer(StrictSerializer):
    """Body of ``portal.rerollKey``: ``expiration`` is how long the old secret stays, in milliseconds; null is ours."""

    keyId = KeyIdField()
    expiration = moment_field(
        allow_null=True,
        help_text="for how many milliseconds the present secret stays; 0 ends it now, and null is the portal's default. The "
        "portal can set bounds",
    )


class KeyNameField(StringField):
    """A key's name. The policy judges it, without the spaces around it; here only what no store could take is refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=0, max_length=1024, **kwargs)


def _permissions(**kwargs: Any) -> StringListField:
    child = StringField(max_length=100)
    return StringListField(child=child, max_length=100, allow_empty=True, required=False, **kwargs)


class CreateKeySerializer(StrictSerializer):
    """Body of ``portal.createKey`` (ours): ``expires`` null is never, left out the portal's default."""

    name = KeyNameField(help_text="by which the user tells keys apart: unique among the user's keys, and trimmed")
    expires = moment_field(
        required=False,
        allow_null=True,
        help_text="when the key ends, in Unix milliseconds; null means never, and omitted the portal's default",
    )
    permissions = _permissions(
        help_text="what the key may do in your API, out of those that the portal offers; omitted means the portal's default"
    )


class UpdateKeySerializer(StrictSerializer):
    """Body of ``portal.updateKey`` (ours): what is left out stays."""

    keyId = KeyIdField()
    name = KeyNameField(required=False, help_text="another name")
    expires = moment_field(required=False, allow_null=True, help_text="another end, as for createKey")
    enabled = BooleanField(required=False, help_text="false switches the key off until true switches it on")
    permissions = _permissions(help_text="other permissions, in place of all that it has")


class DeleteKeySerializer(StrictSerializer):
    """Body of ``portal.deleteKey`` (ours)."""

    keyId = KeyIdField()
