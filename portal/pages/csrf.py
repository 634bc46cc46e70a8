"""Proof that a form was ours and is sent by the browser it was made for (design decision 8).

Not Django's csrftoken: the host's CSRF_FAILURE_VIEW would answer instead of our pages, and that cookie does not reach a
portal in another site's frame. The views are ``csrf_exempt`` for that reason, and check here. A form carries an HMAC over
what the browser's HttpOnly cookie names and over the action, so one form's value opens no other.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from portal.http import states_own_origin

__all__ = ["FIELD", "form_token", "is_genuine"]

#: Name of the hidden field.
FIELD = "form_token"

_SALT = "portal.pages.csrf"


def form_token(subject: str, action: str, *, key: str | bytes | None = None) -> str:
    """Return the value for a form.

    It is not masked per answer: pages stay comparable byte by byte, and a value that leaks by compression still fails the
    Origin check.

    :param subject: the session's public id; on the landing page the browser's nonce.
    :param action: what the form does, one word.
    :param key: SECRET_KEY by default, a fallback when checking.
    """
    # SHA-256 by name: salted_hmac defaults to SHA-1.
    return salted_hmac(_SALT, f"{action}:{subject}", secret=key, algorithm="sha256").hexdigest()


def is_genuine(request: HttpRequest, subject: str, action: str) -> bool:
    """Say whether this POST is our own form, sent from our own origin."""
    if states_own_origin(request) is False:
        return False
    sent = request.POST.get(FIELD, "")
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(sent, form_token(subject, action, key=key)) for key in keys)
