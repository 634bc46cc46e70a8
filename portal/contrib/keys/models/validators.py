"""Validators of the tables' own fields; the admin and the import refuse through them, in the same words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

__all__ = ["MAX_DEPTH", "validate_metadata"]

#: Levels of metadata: far from where Python's reader and writer of JSON, which recurse, give up.
MAX_DEPTH = 100


def validate_metadata(value: Any) -> None:
    """Refuse what is not a JSON object, and one that not every database can hold or that is nested too deeply."""
    if not isinstance(value, dict):
        raise ValidationError(_("Give a JSON object, for example {“plan”: “pro”}."), code="object")
    if not all(map(_is_storable, _scalars(value))):
        raise ValidationError(_("This has characters or numbers that JSON in a database cannot hold."), code="json")


def _scalars(value: Any, depth: int = 0) -> Iterator[Any]:
    """Return the keys and values of JSON that hold no others.

    :raises ValidationError: it is nested too deeply.
    """
    if not isinstance(value, dict | list):
        yield value
        return
    if depth == MAX_DEPTH:
        raise ValidationError(_("This is nested too deeply."), code="depth")
    if isinstance(value, dict):
        yield from value
        value = value.values()
    for part in value:
        yield from _scalars(part, depth + 1)


def _is_storable(value: Any) -> bool:
    """Say whether PostgreSQL takes it in JSON: it refuses NUL, half characters, and numbers that are none."""
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, str):
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
