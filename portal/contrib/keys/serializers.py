"""What the operation of this app takes."""

from __future__ import annotations

from portal.api.fields import StringField, StringListField
from portal.api.serializers.base import StrictSerializer

from . import permission_query, verify

__all__ = ["VerifyKeySerializer"]


class PermissionQueryField(StringField):
    """An expression of permissions, taken as the text that it is."""

    default_error_messages = {"query": "{problem}"}

    def to_internal_value(self, data: object) -> str:
        """Return the text, or fail with what is wrong with it."""
        text = super().to_internal_value(data)
        try:
            permission_query.parse(text)
        except permission_query.PermissionQueryError as error:
            self.fail("query", problem=str(error))
        return text


class VerifyKeySerializer(StrictSerializer):
    """Body of ``keys.verifyKey``, without the credits, ratelimits and migrationId of the contract."""

    key = StringField(max_length=verify.MAX_LENGTH, help_text="the secret that came with the request")
    permissions = PermissionQueryField(
        max_length=permission_query.MAX_LENGTH,
        required=False,
        help_text="what the request needs, such as `maps.read AND (tiles.read OR tiles.write)`",
    )
    tags = StringListField(
        child=StringField(max_length=512),
        max_length=20,
        allow_empty=True,
        required=False,
        help_text="words about the request",
    )
