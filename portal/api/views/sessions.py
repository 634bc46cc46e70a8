"""Minting and exchanging: the operations of a host's backend (wire contract sections 2 and 3)."""

from __future__ import annotations

import logging
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request

from portal import clock, origins, slugs
from portal.api.authentication import RootKeyAuthentication
from portal.api.serializers import CreateSessionSerializer, ExchangeSessionSerializer
from portal.authenticate import AuthenticatedRootKey
from portal.errors import (
    Forbidden,
    InsufficientPermissions,
    InvalidInput,
    PortalConfigNotFound,
    PortalSessionNotFound,
    UnexpectedError,
)
from portal.http import client_address
from portal.links import portal_base, portal_link
from portal.models import PortalConfig, PortalSession, RootKey
from portal.outage import DATABASE_AWAY
from portal.permissions import missing_capabilities
from portal.throttle import count, count_failure

from .base import Operation

__all__ = ["CreateSession", "ExchangeSession"]

logger = logging.getLogger("portal.api")


class CreateSession(Operation):
    """``portal.createSession``: a root key mints a session for one end user and gets the link to redirect it to."""

    name = "portal.createSession"
    cors = False
    authentication_classes = [RootKeyAuthentication]
    serializer_class = CreateSessionSerializer

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {sessionId, url}``; ``sessionId`` is the exchange code."""
        root_key = cast(AuthenticatedRootKey, request.auth)
        # Calls, not sessions: a stolen key that tries one slug after another is counted too.
        count("create_session", root_key.id)
        config = self._authorise(root_key, body)
        try:
            base = portal_base(config.slug, request=request._request)
        except ImproperlyConfigured as error:
            # The caller holds a root key, so it may know: its operator is who must act.
            logger.error("createSession cannot answer: %s", error)
            raise UnexpectedError(str(error)) from error
        _, code = PortalSession.objects.create_session(
            config,
            body["externalId"],
            body["permissions"],
            actor=root_key.actor(client_address(request._request)),
            minted_by=root_key.pk,
            preview=body["preview"],
            return_url=body["returnUrl"],
        )
        # After the commit: inside the mint's transaction it would deadlock with another mint (design section 2, tried).
        try:
            RootKey.objects.touch(root_key.pk, root_key.last_used_at)
        except DATABASE_AWAY:
            # The session exists; its caller must get the link whether or not this is noted.
            logger.warning("The last use of root key %s could not be written", root_key.id, exc_info=True)
        return {"data": {"sessionId": code, "url": portal_link(base, code)}}

    def _authorise(self, root_key: AuthenticatedRootKey, body: dict[str, Any]) -> PortalConfig:
        if not slugs.is_slug(body["slug"]):
            raise InvalidInput(slugs.RULE)
        config = PortalConfig.objects.filter(slug=body["slug"]).first()
        # A portal that the key may not use is as unknown as one that does not exist (security requirement 44).
        if config is None or not root_key.may_mint(config.public_id):
            raise PortalConfigNotFound
        if not config.enabled:
            raise Forbidden
        missing = missing_capabilities(body["permissions"], root_key.permissions, config.keyspace)
        if missing:
            raise InsufficientPermissions(f"Missing permission: '{missing[0]}'")
        if body["returnUrl"]:
            try:
                origins.check_return_url(body["returnUrl"], config.return_origins)
            except origins.OriginError as error:
                raise InvalidInput(
                    "The return URL is not one that this portal may send its users to.",
                    errors=[{"location": "body.returnUrl", "message": str(error)}],
                ) from None
        return config


class ExchangeSession(Operation):
    """``portal.exchangeSession``: an exchange code becomes an access token, once.

    No credential is asked for and an Authorization header is ignored: the code is the credential. It sets no cookie, so
    that no page can sign a browser in through it (security requirement 14).
    """

    name = "portal.exchangeSession"
    serializer_class = ExchangeSessionSerializer

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return ``data {token, expiresAt}``, the latter in Unix milliseconds."""
        code, address = body["sessionId"], client_address(request._request)
        try:
            session, token = PortalSession.objects.exchange(code, address=address)
        except PortalSessionNotFound:
            PortalSession.objects.note_replay(code, address)
            count_failure(request._request)
            raise
        return {"data": {"token": token, "expiresAt": clock.to_milliseconds(session.expires_at)}}
