"""Minting and exchanging: the operations of a host's backend (wire contract sections 2 and 3).

Each exists in two dialects (section 8): callers of generations 1 and 2 name a portal by ``slug`` and grant
``permissions``, later ones name it by ``portal`` and grant ``scopes``. A request is answered in its own.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, ClassVar, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request

from portal import clock, slugs
from portal.api.serializers.base import StrictSerializer
from portal.api.serializers.sessions import (
    ExchangeCodeSerializer,
    ExchangeSessionSerializer,
    ScopedSessionSerializer,
    SlugSessionSerializer,
)
from portal.authenticate import AuthenticatedRootKey
from portal.errors import (
    FieldError,
    Forbidden,
    InsufficientPermissions,
    InvalidInput,
    PortalConfigNotFound,
    PortalNotFound,
    PortalSessionNotFound,
    UnexpectedError,
)
from portal.http import client_address
from portal.links import portal_base, portal_link
from portal.models import PortalSession
from portal.models.portal_facts import PortalFacts
from portal.permissions import missing_capabilities
from portal.portal_lookup import find_portal
from portal.session_options import SessionOptions, option_problems
from portal.throttle import count_failure

from .base import Operation
from .root_key import RootKeyOperation

__all__ = ["CreateSession", "ExchangeCode", "ExchangeSession"]

logger = logging.getLogger("portal.api")

#: The options of a mint and the members that hold them.
_MEMBERS = {
    "preview": "preview",
    "return_url": "returnUrl",
    "next": "next",
    "locale": "locale",
    "display_name": "displayName",
    "ttl": "ttl",
    "metadata": "metadata",
}


class CreateSession(RootKeyOperation):
    """``portal.createSession``: a root key mints a session for one end user and gets the link to redirect it to."""

    name = "portal.createSession"
    serializer_class: ClassVar[type[StrictSerializer]] = SlugSessionSerializer

    def serializer_for(self, body: dict[str, Any]) -> type[StrictSerializer]:
        """Return the serializer of the dialect that the body's members belong to."""
        return self.serializer_class if body.keys().isdisjoint({"portal", "scopes"}) else ScopedSessionSerializer

    def act(self, request: Request, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {sessionId, url}``, or ``data {id, url}`` where the caller says ``portal``.

        ``sessionId`` is the exchange code; ``id`` is the session's public id and opens nothing.
        """
        scoped = "portal" in body
        not_found = PortalNotFound if scoped else PortalConfigNotFound
        config = self._find(root_key, body)
        if config is None:
            raise not_found
        granted = self._authorise(root_key, config, body)
        options = self._options(config, granted, body)
        try:
            base = portal_base(config.slug, request=request._request)
        except ImproperlyConfigured as error:
            # The caller holds a root key, so it may know: its operator is who must act.
            logger.error("createSession cannot answer: %s", error)
            raise UnexpectedError(str(error)) from error
        try:
            minted, code = PortalSession.objects.mint(
                config,
                body["externalId"],
                granted,
                actor=root_key.actor(client_address(request._request)),
                minted_by=root_key.pk,
                **options,
            )
        except PortalConfigNotFound:
            raise not_found from None
        if scoped:
            return {"data": {"id": minted.public_id, "url": portal_link(base, code, parameter="code")}}
        return {"data": {"sessionId": code, "url": portal_link(base, code)}}

    def _find(self, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> PortalFacts | None:
        if "slug" in body and not slugs.is_slug(body["slug"]):
            raise InvalidInput(slugs.RULE)
        found = find_portal(body["portal"] if "portal" in body else body["slug"])
        # A portal that the key may not use is as unknown as one that does not exist (security requirement 44).
        return found if found and root_key.may_mint(found.public_id) else None

    def _authorise(self, root_key: AuthenticatedRootKey, config: PortalFacts, body: dict[str, Any]) -> list[str]:
        """Return what the session is to be granted, which the root key may hand out."""
        if not config.enabled:
            raise Forbidden
        granted: list[str] = body["scopes"] if "scopes" in body else body["permissions"]
        missing = missing_capabilities(granted, root_key.permissions, config.keyspace)
        if missing and "scopes" in body:
            text = f'You do not have permission to grant the "{missing[0]}" scope to a portal session.'
            raise InsufficientPermissions(text)
        if missing:
            raise InsufficientPermissions(f"Missing permission: '{missing[0]}'")
        return granted

    def _options(self, config: PortalFacts, granted: list[str], body: dict[str, Any]) -> SessionOptions:
        given = {option: body[member] for option, member in _MEMBERS.items() if member in body}
        if "ttl" in given:
            given["ttl"] = timedelta(seconds=given["ttl"])
        options = cast(SessionOptions, given)
        problems = option_problems(
            options, return_origins=config.return_origins, capabilities=config.capabilities_of(granted)
        )
        errors: list[FieldError] = [
            {"location": f"body.{_MEMBERS[name]}", "message": message} for name, message in problems
        ]
        if errors:
            raise InvalidInput("The portal cannot make such a session.", errors=errors)
        return options


class ExchangeSession(Operation):
    """``portal.exchangeSession``: an exchange code becomes an access token, once.

    No credential is asked for and an Authorization header is ignored: the code is the credential. It sets no cookie, so
    that no page can sign a browser in through it (security requirement 14).
    """

    name = "portal.exchangeSession"
    serializer_class: ClassVar[type[StrictSerializer]] = ExchangeSessionSerializer
    #: The members that hold the code and the token.
    code_member: ClassVar[str] = "sessionId"
    token_member: ClassVar[str] = "token"  # noqa: S105

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {token, expiresAt}``, the latter in Unix milliseconds."""
        code, address = body[self.code_member], client_address(request._request)
        try:
            redeemed, token = PortalSession.objects.redeem(code, address=address)
        except PortalSessionNotFound:
            PortalSession.objects.note_replay(code, address)
            count_failure(request._request)
            raise
        return {"data": {self.token_member: token, "expiresAt": clock.to_milliseconds(redeemed.expires_at)}}


class ExchangeCode(ExchangeSession):
    """``portal.exchangeCode``: the same exchange of the same codes, in the newer words."""

    name = "portal.exchangeCode"
    serializer_class = ExchangeCodeSerializer
    code_member = "code"
    token_member = "accessToken"  # noqa: S105
