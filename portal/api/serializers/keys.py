"""The bodies of the operations on keys (wire contract section 5, and our own beside them)."""

from __future__ import annotations

import re
from typing import Any

from portal.api.fields import BooleanField, IntegerField, StringField, StringListField

from .base import StrictSerializer

__all__ = [
    "CreateKeySerializer",
    "DeleteKeySerializer",
    "ListKeysSerializer",
    "RerollKeySerializer",
    "UpdateKeySerializer",
]

#: The contract's pattern of key ids, and the last moment that it takes: the end of 2099, in Unix milliseconds.
_KEY_ID = re.compile(r"[0-9A-Za-z_]+\Z", re.ASCII)
_LAST_MOMENT = 4102444800000


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
