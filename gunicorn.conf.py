"""gunicorn's settings for the demo in production form: ``gunicorn config.wsgi`` finds this file by itself."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from portal.logs import RedactFilter
from portal.tokens import redact


class RedactingLogger(Logger):
    """Writes lines without exchange codes: they stand in the landing page's address, and in its Referer."""

    def setup(self, cfg: Any) -> None:
        """Blank the lines about errors too: they name the address that failed."""
        super().setup(cfg)
        self.error_log.addFilter(RedactFilter())

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the parts of an access line, blanked."""
        parts = super().atoms(*args, **kwargs)
        return {name: redact(value) if isinstance(value, str) else value for name, value in parts.items()}


bind = "127.0.0.1:8000"
workers = 2
# Threads, so that a slow client holds up one thread and not a worker.
threads = 4
accesslog = "-"
logger_class = RedactingLogger
