"""What the pages about API keys share: the session's keys, and the one in the address."""

from __future__ import annotations

from datetime import UTC
from typing import ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation

from portal import clock
from portal.errors import ApiKeyNotFound
from portal.http import client_address
from portal.keystore.actions import SessionKeys
from portal.keystore.answers import KEY_ID
from portal.keystore.base import Key
from portal.pages.key_list import KeyPlace
from portal.pages.language import page_language
from portal.pages.refusals import Refused, reason_without_session

from .base import PortalPage

__all__ = ["KeysPage"]


class KeysPage(PortalPage):
    """A page about the keys of the browser's session.

    The methods of subclasses run with that session's language active, and in UTC; they find its keys in ``self.keys`` and
    the session in ``self.keys.session``.
    """

    #: What a session needs for the page.
    capability: ClassVar[str] = "keys:read"

    keys: SessionKeys

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Find the session and its keys, and run the method."""
        if (request.method or "").lower() not in self.http_method_names:
            return super().answer(request)
        session = self.require_capability(request, self.capability)
        # The portal was looked up before the session was: pointed at other keys in between, it would open those.
        if session.keyspace_id != self.config.keyspace_id:
            raise Refused(reason_without_session(request, self.config))
        self.keys = SessionKeys(session, self.config, address=client_address(request))
        if not self.keys.store.shows_keys:
            raise Refused("not_found")
        with timezone.override(UTC), translation.override(page_language(request, self.config, session.locale)):
            return super().answer(request)

    @property
    def came_from(self) -> KeyPlace:
        """The place in the list that the address carries along, read as the list reads it: it leads nowhere else."""
        # Whether there is an order by use now is the list's to say.
        return KeyPlace.of(reverse("portal:keys", args=[self.config.slug]), self.request.GET, clock.now())

    def own_key(self) -> Key:
        """Return the key whose id is in the address. Needs ``keys:read``.

        :raises ApiKeyNotFound: the session's owner has none such. Somebody else's key, one that never was and a text that
            can be no id are the same page.
        """
        key_id: str = self.kwargs["key_id"]
        if not KEY_ID.match(key_id):
            # What can be no id is not worth asking a store for.
            raise ApiKeyNotFound
        return self.keys.get(key_id)
