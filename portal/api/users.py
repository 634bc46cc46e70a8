"""``request.user`` behind our authentication classes: nobody in the host's user table, and nobody's staff.

Shaped like Django's AnonymousUser, so that DRF's and a host's own code does not fall over, but authenticated.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

__all__ = ["EndUser", "RootKeyUser"]


class _Principal:
    """Somebody who is authenticated and has no row, no rights and no groups among the host's users."""

    is_active = True
    is_anonymous = False
    is_authenticated = True
    is_staff = False
    is_superuser = False
    #: The same, by the names that Django's users have.
    id = username = property(attrgetter("pk"))

    def __init__(self, pk: str) -> None:
        self.pk = pk

    def __str__(self) -> str:
        return self.pk

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.pk == self.pk

    def __hash__(self) -> int:
        return hash((type(self), self.pk))

    def get_username(self) -> str:
        """Return the id."""
        return self.pk

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return False: capabilities are on ``request.auth``."""
        return False

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        """Return False unless nothing is asked for."""
        return not list(perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Return False."""
        return False


class EndUser(_Principal):
    """The person at the portal; ``pk`` is the external id, in the words of the host's backend."""


class RootKeyUser(_Principal):
    """A backend that presents a root key; ``pk`` is the root key's public id."""
