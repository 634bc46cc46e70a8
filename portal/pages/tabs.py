"""The tabs of the portal: a tab exists once its pages do, and shows when the session may use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from portal.authenticate import AuthenticatedSession
from portal.keystore import get_key_store
from portal.models import PortalSession

__all__ = ["TABS", "Tab", "TabLink", "first_page", "tab_links"]


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    :param page: the URL name of its first page, below the namespace ``portal``.
    :param capability: what a session needs to see it; empty for everybody.
    :param exists: says whether this project has the tab at all; None for always.
    """

    page: str
    label: str | Promise
    capability: str = ""
    exists: Callable[[], bool] | None = None


class TabLink(NamedTuple):
    """A tab as the template shows it; ``page`` is the URL name of its first page."""

    page: str
    url: str
    label: str
    current: bool


def _has_keys() -> bool:
    return get_key_store().shows_keys


def _has_usage() -> bool:
    store = get_key_store()
    return store.shows_keys and store.supports_usage


#: In the order in which they stand. Docs join with their pages.
TABS: tuple[Tab, ...] = (
    Tab("keys", gettext_lazy("API keys"), "keys:read", _has_keys),
    Tab("usage", gettext_lazy("Usage"), "analytics:read", _has_usage),
)


def _permitted(session: AuthenticatedSession | PortalSession) -> list[Tab]:
    return [
        tab
        for tab in TABS
        if (not tab.capability or session.allows(tab.capability)) and (tab.exists is None or tab.exists())
    ]


def tab_links(session: AuthenticatedSession, current: str) -> list[TabLink]:
    """Return the tabs that ``session`` may use; ``current`` is the URL name of the page's tab."""
    return [
        TabLink(
            tab.page, reverse(f"portal:{tab.page}", args=[session.portal_slug]), str(tab.label), tab.page == current
        )
        for tab in _permitted(session)
    ]


def first_page(session: AuthenticatedSession | PortalSession) -> str:
    """Return the URL name of the page that a session lands on: its first tab, or the session page without one."""
    permitted = _permitted(session)
    return permitted[0].page if permitted else "session"
