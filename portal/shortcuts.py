"""The portal from inside a Django project: let a user in, see who is in, put somebody out (design section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from django.http import HttpRequest, HttpResponseRedirect

from . import permissions as rules
from . import texts
from .errors import FieldError, InvalidInput, PortalConfigNotFound
from .http import client_address
from .links import portal_base, portal_link
from .models import Actor, PortalConfig, PortalEvent, PortalSession
from .models.session_listing import LiveSessionPage, list_live_sessions
from .session_options import SessionOptions, given_options, option_problems

__all__ = ["create_portal_url", "list_sessions", "redirect_to_portal", "revoke_sessions"]


def create_portal_url(
    slug: str,
    external_id: str,
    permissions: Iterable[str],
    *,
    request: HttpRequest | None = None,
    **options: Unpack[SessionOptions],
) -> str:
    """Mint a session in process and return its one-time link, good for CODE_TTL.

    No root key and no ceiling: code that can call this can write to the table anyway.

    :param slug: the portal.
    :param external_id: your id of the user, 1 to 256 characters.
    :param permissions: capabilities (``keys:read``) or RBAC tuples (``api.*.read_key``), at least one.
    :param request: the current request; used for the audit trail, and for the address when BASE_URL is not set.
    :param options: ``display_name``, ``preview``, ``return_url``, ``next``, ``locale``, ``ttl`` and ``metadata``; see
        :class:`~portal.session_options.SessionOptions`.
    :raises PortalConfigNotFound: there is no such portal.
    :raises Forbidden: the portal is disabled.
    :raises InvalidInput: an argument is not as described; ``errors`` says which.
    :raises TypeError: an option has another name than these.
    :raises ImproperlyConfigured: neither BASE_URL nor ``request`` says where the portal is.
    """
    granted, options = list(permissions), given_options(options)
    config = _portal(slug)
    _check(config, external_id, granted, options)
    base = portal_base(slug, request=request, trust_request=True)
    _, code = PortalSession.objects.create_session(config, external_id, granted, actor=_actor(request), **options)
    return portal_link(base, code)


def redirect_to_portal(
    request: HttpRequest, slug: str, external_id: str, permissions: Iterable[str], **options: Unpack[SessionOptions]
) -> HttpResponseRedirect:
    """Mint a session and return the redirect to it; arguments as for :func:`create_portal_url`.

    The answer says ``Referrer-Policy: strict-origin``. Django's SecurityMiddleware sends ``same-origin`` by default, and
    then a portal on another origin cannot tell that its user comes from your product and shows a button first.
    """
    url = create_portal_url(slug, external_id, permissions, request=request, **options)
    response = HttpResponseRedirect(url)
    response["Referrer-Policy"] = "strict-origin"
    response["Cache-Control"] = "no-store"
    return response


def revoke_sessions(slug: str, external_id: str, *, request: HttpRequest | None = None) -> int:
    """End all live sessions of one user at a portal, unopened links included, and return their number.

    They end at once, and only they: what is minted afterwards works. Called again it finds none and returns 0.

    :param slug: the portal, open or closed.
    :param external_id: your id of the user.
    :param request: the current request, for the address in the audit trail.
    :raises PortalConfigNotFound: there is no such portal.
    """
    return PortalSession.objects.revoke_for(_portal(slug), external_id, _actor(request))


def list_sessions(slug: str, *, search: str = "", limit: int = 100, after: str = "") -> LiveSessionPage:
    """Return the users who have a live session at a portal, by external id, with those sessions; one query.

    :param slug: the portal, open or closed.
    :param search: only users whose external id begins with this; capitals count and no character is special.
    :param limit: how many users at most, 1 or more.
    :param after: ``next`` of the page before.
    :raises PortalConfigNotFound: there is no such portal.
    :raises ValueError: ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError("limit must be 1 or more.")
    return list_live_sessions(_portal(slug), limit=limit, after=after, search=search)


def _portal(slug: str) -> PortalConfig:
    config = PortalConfig.objects.filter(slug=slug).first() if texts.is_storable(slug) else None
    if config is None:
        raise PortalConfigNotFound
    return config


def _actor(request: HttpRequest | None) -> Actor:
    return Actor(PortalEvent.ActorKind.SYSTEM, address=client_address(request) if request else None)


def _check(config: PortalConfig, external_id: object, granted: list[Any], options: SessionOptions) -> None:
    problems: list[FieldError] = []
    if not isinstance(external_id, str) or not 1 <= len(external_id) <= 256 or not texts.is_storable(external_id):
        message = "Use a text of 1 to 256 characters, without NUL and half surrogate pairs."
        problems.append({"location": "external_id", "message": message})
    if not granted:
        problems.append({"location": "permissions", "message": "Give at least one permission."})
    for index, permission in enumerate(granted):
        if not isinstance(permission, str) or not rules.is_session_permission(permission):
            problems.append({"location": f"permissions[{index}]", "message": "Use a capability or a three-part tuple."})
    capabilities = config.capabilities_of(permission for permission in granted if isinstance(permission, str))
    for name, message in option_problems(options, return_origins=config.return_origins, capabilities=capabilities):
        problems.append({"location": name, "message": message})
    if problems:
        text = "; ".join(f"{problem['location']}: {problem['message']}" for problem in problems)
        raise InvalidInput(text, errors=problems)
