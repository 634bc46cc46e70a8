"""What the commands share: errors in plain words, and one JSON object for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ImproperlyConfigured, ValidationError
from django.core.management.base import CommandError, CommandParser, OutputWrapper

from portal.errors import PortalError

__all__ = ["add_json_option", "plain_errors", "write"]


def add_json_option(parser: CommandParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead of text.")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn a refusal into a CommandError that says what to change."""
    try:
        yield
    except ValidationError as error:
        lines = (
            " ".join(texts) if field == NON_FIELD_ERRORS else f"{field}: {' '.join(texts)}"
            for field, texts in error.message_dict.items()
        )
        raise CommandError("\n".join(lines)) from None
    except (PortalError, ImproperlyConfigured) as error:
        raise CommandError(str(error)) from None


def write(stdout: OutputWrapper, values: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print ``values`` as one line of JSON, or ``text``."""
    stdout.write(json.dumps(values) if as_json else text)
