"""The rows of the list of keys: what one shows, made before the template runs.

A page has 25 of them, and a template would resolve each address, translate each word and draw each badge anew in every one.
So addresses are resolved and badges drawn once a page here, as words are translated once in ``keys.html``; and a row is a
dictionary, the kind of value that a template looks into first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import TypedDict

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from portal.keystore.actions import SessionKeys
from portal.keystore.base import Key
from portal.keystore.usage import Usage

from .key_display import KeyDisplay, Status, actions_for, actions_of, kind_of
from .usage_display import Spark, spark_of

__all__ = ["KeyRow", "key_rows"]

#: Stands for a key's id while an address is resolved; the last in it, whatever the host's prefix and the slug hold.
_ANY = "KEY"


class KeyRow(TypedDict):
    """A row, in the active language.

    :param badge: its status.
    :param url: of the key's page; those of ``edit``, ``rotate`` and ``revoke`` are empty where that is not offered.
    :param ends: how far its end is; empty for a key that never expires, and then there is no ``ends_at`` either.
    :param last_used: when it was last used, and ``used`` the same beside its number of requests.
    :param spark: its small chart; None without a request.
    :param shown: the key as other pages show it.
    """

    name: str
    url: SafeString
    masked: str
    badge: SafeString
    locked: bool
    ends: str
    ends_at: datetime | None
    last_used: str
    used: str
    spark: Spark | None
    edit: SafeString
    rotate: SafeString
    revoke: SafeString
    old_secret: bool
    shown: KeyDisplay


def key_rows(
    keys: SessionKeys, found: Iterable[Key], usage: Usage | None, now: datetime, *, suffix: str = ""
) -> list[KeyRow]:
    """Return a row for each key.

    :param found: keys of the session's owner.
    :param usage: how often they were used; None where that is not shown.
    :param now: the moment of the page.
    :param suffix: what the links carry along; see :attr:`~portal.pages.key_list.KeyPlace.suffix`.
    """
    key_url, edit, rotate, revoke = (
        escape(reverse(f"portal:{name}", kwargs={"slug": keys.session.portal_slug, "key_id": _ANY})).rpartition(_ANY)
        for name in ("key", "key-edit", "key-rotate", "key-revoke")
    )

    def address(parts: tuple[str, str, str], key: Key, offered: bool = True) -> SafeString:
        # Ids are letters, digits and underscores in every store, so nothing in them has to be quoted or escaped.
        return SafeString(f"{parts[0]}{key.id}{parts[2]}{along}" if offered else "")

    @cache
    def badge(kind: str) -> SafeString:
        return render_to_string("portal/elements/badge.html", {"kind": kind, "slot": Status.of_kind(kind).word})

    allowed, along = actions_for(keys), escape(suffix)
    used, never_used, never = _("used %(when)s"), _("never used"), _("Never")

    def row(key: Key) -> KeyRow:
        may = actions_of(allowed, key, now)
        shown = KeyDisplay(key, now, may)
        last_used = shown.last_used if key.last_used_at else never
        return {
            "name": key.name,
            "url": address(key_url, key),
            "masked": shown.masked,
            "badge": badge(kind_of(key, now)),
            "locked": key.locked,
            "ends": capfirst(shown.ends),
            "ends_at": key.expires_at,
            "last_used": capfirst(last_used),
            "used": used % {"when": last_used} if key.last_used_at else never_used,
            "spark": spark_of(usage, key.id) if usage else None,
            "edit": address(edit, key, may.edit),
            "rotate": address(rotate, key, may.rotate),
            "revoke": address(revoke, key, may.revoke),
            "old_secret": key.old_secret is not None,
            "shown": shown,
        }

    return [row(key) for key in found]
