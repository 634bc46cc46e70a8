"""DRF authentication and permission classes; public, for a host's own views too (design section 4)."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portal import permissions
from portal.authenticate import PREVIEW_TEXT, AuthenticatedRootKey, AuthenticatedSession
from portal.credentials import CHALLENGE, present_root_key, present_session
from portal.errors import Forbidden, InsufficientPermissions, PortalError
from portal.http import states_own_origin

from .exceptions import EnvelopeException
from .parsers import is_json
from .permissions import NotComposable
from .users import EndUser, RootKeyUser

__all__ = ["HasCapability", "PortalSessionAuthentication", "RootKeyAuthentication"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PortalSessionAuthentication(BaseAuthentication):
    """Authenticates an end user by access token, from the Authorization header or else the cookie.

    ``request.user`` is an :class:`~portal.api.users.EndUser`, ``request.auth`` the
    :class:`~portal.authenticate.AuthenticatedSession`. Without a live session the answer is the contract's 401 envelope:
    this class is strict, so in ``authentication_classes`` it goes last.
    """

    def authenticate(self, request: Request) -> tuple[EndUser, AuthenticatedSession]:
        """Return the end user and the session.

        :raises EnvelopeException: 401 ``portal_token_missing`` or ``portal_session_not_found``; 403 ``forbidden`` for a
            write by cookie that another site may have caused.
        """
        http_request = request._request
        try:
            session, by_cookie = present_session(http_request)
            if by_cookie and http_request.method not in _SAFE_METHODS:
                self._refuse_cross_site(request, session)
        except PortalError as error:
            raise EnvelopeException(error, http_request) from None
        return EndUser(session.external_id), session

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, which makes DRF answer 401 and not 403."""
        return CHALLENGE

    def _refuse_cross_site(self, request: Request, session: AuthenticatedSession) -> None:
        # DRF views are csrf_exempt, and the browser adds the cookie to any site's request. JSON cannot be sent across
        # origins without our consent by CORS, so with it silence about the origin is fine; a form can, so it is not.
        stated = states_own_origin(request._request, also=session.portal_allowed_origins)
        if stated is False or (stated is None and not is_json(request._request)):
            raise Forbidden(
                "This request came from another site. Send JSON from the portal's own pages or from an origin that the "
                "portal allows, or use the access token as a Bearer token."
            )


class RootKeyAuthentication(BaseAuthentication):
    """Authenticates a backend by root key, from the Authorization header only.

    ``request.user`` is a :class:`~portal.api.users.RootKeyUser`, ``request.auth`` the
    :class:`~portal.authenticate.AuthenticatedRootKey`. Strict, like :class:`PortalSessionAuthentication`.
    """

    def authenticate(self, request: Request) -> tuple[RootKeyUser, AuthenticatedRootKey]:
        """Return the backend and its root key.

        :raises EnvelopeException: 401 ``missing``, ``malformed`` or ``key_not_found``; 403 ``key_disabled``.
        """
        http_request = request._request
        try:
            root_key = present_root_key(http_request)
        except PortalError as error:
            raise EnvelopeException(error, http_request) from None
        return RootKeyUser(root_key.id), root_key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, which makes DRF answer 401 and not 403."""
        return CHALLENGE


def HasCapability(capability: str) -> type[BasePermission]:  # noqa: N802 - read as a class in permission_classes
    """Return a permission class that asks the portal session for ``capability``.

    ``permission_classes = [HasCapability("keys:read")]``. A preview session is refused every
    unsafe method, and the capabilities that write, whatever it holds. It cannot be joined to others by ``&``, ``|``
    or ``~``.

    :raises ValueError: at import of the view, when there is no such capability.
    """
    if not permissions.is_capability(capability):
        raise ValueError(f"{capability!r} is not a capability; there are {', '.join(permissions.CAPABILITIES)}")

    class CapabilityPermission(BasePermission, metaclass=NotComposable):
        def has_permission(self, request: Request, view: Any) -> bool:
            try:
                session = request.auth
                if not isinstance(session, AuthenticatedSession):
                    raise InsufficientPermissions(f"Missing permission: '{capability}'")
                session.require(capability)
                if session.preview and request.method not in _SAFE_METHODS:
                    raise Forbidden(PREVIEW_TEXT)
            except PortalError as error:
                raise EnvelopeException(error, request._request) from None
            return True

    CapabilityPermission.__name__ = "HasCapability"
    return CapabilityPermission
