"""What our permission classes share."""

from __future__ import annotations

from typing import Any, NoReturn

from rest_framework.permissions import BasePermissionMetaclass

__all__ = ["NotComposable"]


class NotComposable(BasePermissionMetaclass):
    """Refuses ``&``, ``|`` and ``~``: these ask each class for True or False, and ours answers the request by raising.

    Joined, ``~HasCapability(…)`` would refuse everybody, and ``HasCapability(…) | AllowAny`` whoever lacks the capability.
    """

    def _refuse(self, *other: Any) -> NoReturn:
        raise TypeError(f"{self.__name__} cannot be joined by &, | or ~: list several classes in permission_classes.")

    __and__ = __or__ = __rand__ = __ror__ = __invert__ = _refuse
