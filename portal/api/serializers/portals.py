"""The bodies of managing portals and their sessions by API (wire contract section 6)."""

from __future__ import annotations

import re
from typing import Any

from portal import origins
from portal.api.fields import BooleanField, IntegerField, StringField

from .base import StrictSerializer
from .sessions import PortalNameField, SlugField

__all__ = [
    "CreatePortalSerializer",
    "DeletePortalSerializer",
    "GetPortalSerializer",
    "ListSessionsSerializer",
    "RevokeSessionSerializer",
    "UpdatePortalSerializer",
]

_NO_APPS = "There are no apps here. Give keyspaceId: which keys the portal shows, in the key store's words."

#: What the longest external id comes to: 256 characters, each as JSON escapes it at worst, in base64.
_MAX_CURSOR = 4200


class DisplayNameField(StringField):
    """A product's name, as users read it."""

    default_error_messages = {"spaces": "Leave out the spaces around it."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name, or fail."""
        value = super().to_internal_value(data)
        if value != value.strip():
            self.fail("spaces")
        return value


class LogoUrlField(StringField):
    """A logo's address; the rest of what it must be the model says."""

    default_error_messages = {"https": "Start with https:// and a host name."}

    def to_internal_value(self, data: Any) -> str:
        """Return the URL, or fail: the model takes http on this machine, the contract does not."""
        value = super().to_internal_value(data)
        if not value.lower().startswith("https://"):
            self.fail("https")
        return value


class ColorField(StringField):
    """A color."""

    default_error_messages = {"pattern": "Write the color as # and six hexadecimal digits, for example #2563eb."}
    pattern = re.compile("#[0-9a-fA-F]{6}")


def _portal() -> StringField:
    return PortalNameField(help_text="the portal's id or slug")


def _keyspace_id(**kwargs: Any) -> StringField:
    return StringField(max_length=256, **kwargs)


def _logo_url(**kwargs: Any) -> StringField:
    return LogoUrlField(max_length=origins.MAX_URL_LENGTH, required=False, **kwargs)


def _primary_color(**kwargs: Any) -> StringField:
    return ColorField(max_length=7, required=False, **kwargs)


class CreatePortalSerializer(StrictSerializer):
    """Body of ``portal.createPortal``."""

    elsewhere = {"appId": _NO_APPS}

    slug = SlugField(help_text="the portal's name in its address, which no other portal has")
    displayName = DisplayNameField(
        max_length=64, help_text="your product's name, as its users know it; without spaces around it"
    )
    keyspaceId = _keyspace_id(
        help_text="which keys the portal shows, in the key store's words; by the API a keyspace has one portal. There is no "
        "`appId` here"
    )
    enabled = BooleanField(default=True, help_text="false creates it closed; updatePortal opens it")
    logoUrl = _logo_url(help_text="the logo's address, `https`")
    primaryColor = _primary_color(help_text="`#` and six hexadecimal digits")


class GetPortalSerializer(StrictSerializer):
    """Body of ``portal.getPortal``: exactly one of these, which the operation checks."""

    portal = PortalNameField(required=False, help_text="the portal's id or slug")
    keyspaceId = _keyspace_id(
        required=False, help_text="the keys that it shows; of several portals the oldest that the root key may read"
    )
    appId = StringField(max_length=256, required=False, help_text="there are no apps here, so nothing is found")


class UpdatePortalSerializer(StrictSerializer):
    """Body of ``portal.updatePortal``: what is left out stays; a null takes the logo or the color away."""

    elsewhere = {"appId": _NO_APPS}

    portal = _portal()
    slug = SlugField(required=False, help_text="as for createPortal")
    displayName = DisplayNameField(max_length=64, required=False, help_text="as for createPortal")
    keyspaceId = _keyspace_id(required=False, help_text="as for createPortal")
    enabled = BooleanField(required=False, help_text="whether sessions can be minted")
    logoUrl = _logo_url(allow_null=True, help_text="as for createPortal; null takes the logo away")
    primaryColor = _primary_color(allow_null=True, help_text="as for createPortal; null takes the color away")


class DeletePortalSerializer(StrictSerializer):
    """Body of ``portal.deletePortal``."""

    portal = _portal()


class ListSessionsSerializer(StrictSerializer):
    """Body of ``portal.listSessions``."""

    portal = _portal()
    limit = IntegerField(low=1, high=100, default=100, help_text="how many users at most")
    cursor = StringField(max_length=_MAX_CURSOR, default="", help_text="`pagination.cursor` of the page before")
    search = StringField(
        min_length=0,
        max_length=256,
        default="",
        help_text="only users whose external id begins with this; capitals count, and no character is special",
    )


class RevokeSessionSerializer(StrictSerializer):
    """Body of ``portal.revokeSession``."""

    portal = _portal()
    externalId = StringField(max_length=256, help_text="your id of the user")
