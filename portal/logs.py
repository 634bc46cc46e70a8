"""Keeps secrets out of log lines (security requirements 28 and 29)."""

from __future__ import annotations

import logging

from .tokens import redact

__all__ = ["RedactFilter"]

_formatter = logging.Formatter()


class RedactFilter(logging.Filter):
    """Blanks the portal's secrets in a record's message and traceback.

    Put it on handlers, ``django.server`` and ``django.request`` above all: their lines hold the landing page's URL, and
    that URL holds an exchange code until it is spent.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite ``record`` in place and keep it. A record without a secret keeps its arguments as they are."""
        try:
            message = record.getMessage()
        except Exception:
            # A broken call to the logger: logging would print its arguments as they are.
            message = f"{record.msg!r} {record.args!r}"
            record.msg, record.args = message, ()
        # The finished text, not the arguments: a secret can hide in an exception, a list or a request.
        clean = redact(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
