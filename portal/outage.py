"""What counts as the database being away, as opposed to a fault of ours."""

from __future__ import annotations

from django.db import InterfaceError, InternalError, OperationalError

__all__ = ["DATABASE_AWAY"]

#: Raised while the database cannot be reached, is locked, full or read-only. Answered with 503: a repeat may succeed.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
