"""Validators of the tables' own fields; the admin and the import refuse through them, in the same words."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

__all__ = ["validate_metadata"]


def validate_metadata(value: Any) -> None:
    """Refuse what is not a JSON object, and one that not every database can hold."""
    if not isinstance(value, dict):
        raise ValidationError(_("Give a JSON object, for example {“plan”: “pro”}."), code="object")
    if not _is_storable(value):
        raise ValidationError(_("This has characters or numbers that JSON in a database cannot hold."), code="json")


def _is_storable(value: Any) -> bool:
    """Say whether PostgreSQL takes the JSON: it refuses NUL, half characters, and numbers that are none."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        return False
    return r"\u0000" not in text
