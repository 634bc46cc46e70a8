"""Keeps secrets out of log lines (security requirements 28 and 29)."""

from __future__ import annotations

import logging
from typing import Any

from .tokens import redact

__all__ = ["RedactFilter"]


class RedactFilter(logging.Filter):
    """Blanks the portal's secrets in a record's message and arguments.

    Put it on handlers, ``django.server`` and ``django.request`` above all: their lines hold the landing page's URL, and
    that URL holds an exchange code until it is spent. Tracebacks are not rewritten; this app keeps secrets out of the
    texts of its exceptions.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite ``record`` in place and keep it."""
        if isinstance(record.msg, str):
            record.msg = redact(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_redacted(value) for value in record.args)
        elif record.args:
            record.args = {name: _redacted(value) for name, value in record.args.items()}
        return True


def _redacted(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value
