"""Disturbances that cannot be made from outside a process; each is read from a file anew, so a test can change it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal import clock, throttle

# Where a busy machine must not make a process count by itself.
throttle._deadline.seconds = float(os.environ.get("FAULT_CACHE_SECONDS", throttle.CACHE_SECONDS))


def _read(name: str) -> str:
    path = Path(settings.BASE_DIR) / name
    return path.read_text() if path.exists() else ""


def wrong_clock(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer each request by a clock that is as many seconds ahead as the file ``clock`` says; it may be negative."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        ahead = timedelta(seconds=float(_read("clock") or 0))
        with clock.using(lambda: datetime.now(UTC) + ahead):
            return get_response(request)

    return middleware


@receiver(connection_created)
def full_disk(connection: Any, **kwargs: Any) -> None:
    """Let a SQLite database not grow beyond as many pages as the file ``pages`` says; each request has a connection."""
    if pages := _read("pages"):
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {int(pages)}")
