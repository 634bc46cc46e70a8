"""The credentials, for operations of the portal and for a host's own views that the same classes guard."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from portal.conf import portal_settings

__all__ = ["BearerScheme", "PortalSessionScheme", "RootKeyScheme"]

_TOKEN, _COOKIE = "portalToken", "portalSession"


def _shared(authentication: object) -> None:
    """Let classes have one scheme with those that they inherit from, of which drf-spectacular would warn."""
    set_override(type(authentication), "suppress_collision_warning", True)


class BearerScheme(OpenApiAuthenticationExtension):
    """A credential in the Authorization header; a subclass has the class that takes it, a name and a text."""

    text: ClassVar[str]

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the scheme."""
        _shared(self.target)
        return {"type": "http", "scheme": "bearer", "description": self.text}


class RootKeyScheme(BearerScheme):
    """A root key."""

    target_class = "portal.api.authentication.RootKeyAuthentication"
    match_subclasses = True
    name = "rootKey"
    text = "A root key, `prk_…`, of your backend."


class PortalSessionScheme(OpenApiAuthenticationExtension):
    """An access token: in the header, or else in the cookie."""

    target_class = "portal.api.authentication.PortalSessionAuthentication"
    match_subclasses = True
    name = [_TOKEN, _COOKIE]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        """Return both, one of which is enough."""
        return [{_TOKEN: []}, {_COOKIE: []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        """Return both."""
        _shared(self.target)
        bearer = (
            "An access token, `pat_…`, of one end user's session. Where a header is sent, the cookie is not looked at."
        )
        cookie = (
            "The same access token, as the portal's pages keep it in a browser. A write must come from the portal's own "
            "origin or from one that the portal allows."
        )
        return [
            {"type": "http", "scheme": "bearer", "description": bearer},
            {"type": "apiKey", "in": "cookie", "name": portal_settings.COOKIE_NAME, "description": cookie},
        ]
