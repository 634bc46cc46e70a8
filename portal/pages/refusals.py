"""Answering with a page that says no; what it says is in refusal_texts.py."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from portal.authenticate import AuthenticatedSession
from portal.conf import portal_settings
from portal.errors import (
    ApiKeyNotFound,
    Forbidden,
    InsufficientPermissions,
    KeyLocked,
    KeyStoreFailed,
    KeyStoreUnavailable,
    PortalError,
    TooManyRequests,
)
from portal.models import PortalConfig

from .cookies import read_way_back
from .language import page_language
from .refusal_texts import REFUSALS, Mention, words
from .render import page

__all__ = [
    "REFUSED_BY_STORE",
    "Refused",
    "reason_without_session",
    "refuse",
    "refuse_too_many",
    "refuse_without_session",
]

#: Which page tells of a refusal of :mod:`portal.keystore`, where the view has no better answer.
REFUSED_BY_STORE: dict[type[PortalError], str] = {
    ApiKeyNotFound: "not_found",
    Forbidden: "not_allowed",
    InsufficientPermissions: "no_capability",
    KeyLocked: "key_locked",
    KeyStoreFailed: "keys_failed",
    KeyStoreUnavailable: "keys_unavailable",
}


class Refused(Exception):
    """Raised in a page view to answer with a refusal page.

    :param reason: a key of :data:`~portal.pages.refusal_texts.REFUSALS`.
    :param values: what its text mentions, by name: words, or lengths of time.
    """

    def __init__(self, reason: str, **values: Mention) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


def refuse(
    request: HttpRequest,
    reason: str,
    config: PortalConfig | None,
    *,
    session: AuthenticatedSession | None = None,
    code_in_url: bool = False,
    **values: Mention,
) -> HttpResponse:
    """Return the refusal page for ``reason``, in the portal's brand where the portal is known.

    :param session: the browser's live session at this portal, if any: then the page stands inside.
    :param values: what the text mentions, by name: words, or lengths of time.
    """
    refusal = REFUSALS[reason]
    inside_by_form = session is not None and request.method == "POST"
    with translation.override(page_language(request, config, session.locale if session else "")):
        title, text = words(refusal, config.app_name if config else "", values)
        return page(
            request,
            "refusal.html",
            config,
            {
                "title": title,
                "text": text,
                "link": refusal.link,
                "not_saved": reason == "not_saved" or (reason == "too_many" and inside_by_form),
                "with_request_id": reason in {"error", "keys_failed"},
            },
            status=refusal.status,
            session=session,
            ended=reason in {"session_ended", "not_saved"},
            code_in_url=code_in_url,
        )


def reason_without_session(request: HttpRequest, config: PortalConfig | None) -> str:
    """Return why a page that needs a session refuses: “ended” to a browser that was inside before, else “open it from …”.

    The browser was inside when it still brings a session cookie, or kept the way back after that cookie ran out. A form
    that it sent is lost, and the page says so.
    """
    kept = read_way_back(request)
    was_inside = portal_settings.COOKIE_NAME in request.COOKIES or (
        kept is not None and config is not None and kept.slug == config.slug
    )
    if not was_inside:
        return "no_session"
    if request.method not in {"GET", "HEAD"}:
        return "not_saved"
    # Back after signing out comes to no session that ran out.
    left = kept is not None and kept.left and not request.COOKIES.get(portal_settings.COOKIE_NAME)
    return "signed_out" if left else "session_ended"


def refuse_without_session(request: HttpRequest) -> HttpResponse:
    """Return the 401 page for a host's own view, branded by the portal that the browser was last inside."""
    config = _portal_left(request)
    return refuse(request, reason_without_session(request, config), config)


def refuse_too_many(
    request: HttpRequest,
    error: TooManyRequests,
    config: PortalConfig | None = None,
    *,
    session: AuthenticatedSession | None = None,
    code_in_url: bool = False,
) -> HttpResponse:
    """Return the 429 page with the headers that say when to come back.

    :param config: the portal of the page; by default the one that the browser was last inside.
    """
    wait = timedelta(seconds=error.wait)
    page_of = config or _portal_left(request)
    response = refuse(request, "too_many", page_of, session=session, code_in_url=code_in_url, wait=wait)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _portal_left(request: HttpRequest) -> PortalConfig | None:
    kept = read_way_back(request)
    return PortalConfig.objects.enabled().filter(slug=kept.slug).first() if kept else None
