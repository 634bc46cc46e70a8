"""Where a session lands: the page that its link was made for, or the first that it may see (design decision 4)."""

from __future__ import annotations

from django.urls import reverse

from portal import destinations
from portal.keystore import get_key_store
from portal.models import PortalSession

from .tabs import first_page

__all__ = ["arrival"]

#: What a page that needs a capability asks of the key store.
_STORE_FLAGS = {
    "keys:read": "shows_keys",
    "keys:create": "supports_create",
    "keys:update": "supports_update",
    "keys:reroll": "supports_reroll",
    "keys:delete": "supports_revoke",
    "analytics:read": "supports_usage",
}


def arrival(session: PortalSession) -> str:
    """Return the path of the page that ``session`` lands on after the exchange.

    Its ``next`` is judged again: the store may have been changed since, and a row may have been written by hand.
    """
    slug = session.config.slug
    needed = destinations.needs(session.next)
    if needed is not None:
        store = get_key_store()
        if all(session.allows(name) and getattr(store, _STORE_FLAGS[name]) for name in needed):
            return reverse("portal:home", args=[slug]) + session.next
    return reverse(f"portal:{first_page(session)}", args=[slug])
