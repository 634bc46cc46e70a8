"""DRF authentication and permission classes for a host's own API, whose clients present API keys."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from portal.api.exceptions import EnvelopeException
from portal.api.permissions import NotComposable
from portal.api.users import EndUser
from portal.credentials import CHALLENGE
from portal.errors import InsufficientPermissions, PortalError

from .credentials import present_api_key
from .permission_query import PermissionQuery, parse
from .verify import VerifiedKey

__all__ = ["ApiKeyAuthentication", "HasKeyPermission"]


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticates the client of a host's API by API key, from the Authorization header only.

    ``request.user`` is an :class:`~portal.api.users.EndUser`, the key's owner by external id, and ``request.auth`` the
    :class:`~portal.contrib.keys.verify.VerifiedKey`. Without a good key the answer is the contract's envelope: this class is
    strict, so in ``authentication_classes`` it goes last.
    """

    #: Whose keys count: those of this keyspace, or of these; None for all. A project with several portals subclasses.
    keyspace_id: ClassVar[str | Collection[str] | None] = None

    def authenticate(self, request: Request) -> tuple[EndUser, VerifiedKey]:
        """Return the key's owner and the key.

        Each :func:`HasKeyPermission` in the view's ``permission_classes`` is asked here already: a request that it refuses
        must not cost the key a part of its rate limit. With a ``get_permissions`` of the view's own it does: only that
        knows which classes count, and it may need ``request.user``.

        :raises EnvelopeException: 401 ``missing``, ``malformed`` or ``key_not_found``; 403 ``key_disabled``, ``forbidden``
            (locked) or ``insufficient_permissions``; 429.
        """
        view = (request.parser_context or {}).get("view")
        needed = []
        if isinstance(view, APIView) and type(view).get_permissions is APIView.get_permissions:
            classes = view.permission_classes
            needed = [one.query for one in classes if isinstance(one, type) and issubclass(one, _KeyPermission)]
        try:
            key = present_api_key(request._request, permissions=needed, keyspace_id=self.keyspace_id)
        except PortalError as error:
            if error.status == 429:
                _answer_as_problem(request, error)
            raise EnvelopeException(error, request._request) from None
        return EndUser(key.external_id), key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, which makes DRF answer 401 and not 403."""
        return CHALLENGE


class _KeyPermission(BasePermission, metaclass=NotComposable):
    query: ClassVar[PermissionQuery]

    def has_permission(self, request: Request, view: Any) -> bool:
        key = request.auth
        if isinstance(key, VerifiedKey) and self.query.is_met(key.permissions):
            return True
        error = InsufficientPermissions(f"Missing permission: '{self.query.text}'")
        raise EnvelopeException(error, request._request)


def HasKeyPermission(permission: str) -> type[BasePermission]:  # noqa: N802 - read as a class in permission_classes
    """Return a permission class that asks the API key for ``permission``.

    ``permission_classes = [HasKeyPermission("maps.read")]``, or an expression: see
    :mod:`~portal.contrib.keys.permission_query`. It cannot be joined to others by ``&``, ``|`` or ``~``.

    :raises PermissionQueryError: at import of the view, when it is none.
    """
    return type("HasKeyPermission", (_KeyPermission,), {"query": parse(permission)})


def _answer_as_problem(request: Request, error: PortalError) -> None:
    """Have the answer to ``request`` sent as the contract wants a 429, with the headers and the media type of ``error``.

    DRF's exception handler passes on Retry-After alone, and the media type is the renderer's.
    """

    class ProblemRenderer(JSONRenderer):
        media_type = error.entry().content_type

        def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> Any:
            for name, value in error.headers.items():
                renderer_context["response"][name] = value
            return super().render(data, accepted_media_type, renderer_context)

    request.accepted_renderer = ProblemRenderer()
    request.accepted_media_type = ProblemRenderer.media_type
