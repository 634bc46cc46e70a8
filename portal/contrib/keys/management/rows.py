"""From the values of a record to a key, or to the first reason why they are none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from portal import clock, tokens
from portal.contrib.keys.models import ImportedKey
from portal.contrib.keys.models.validators import MAX_DEPTH, validate_metadata
from portal.keystore.actions import name_problem
from portal.models.validators import validate_key_permissions

from .refusals import Refusal

__all__ = ["key_of"]

_HASH = re.compile(r"[0-9A-Fa-f]{64}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,15}\Z", re.ASCII)
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_MAX_INTEGER = 2**31 - 1


class _Wrong(Exception):
    """The value of a column is not what it must be; the text says what it must be, and not what it is."""


def key_of(values: dict[str, Any], keyspace_id: str) -> ImportedKey | Refusal:
    """Return the key of a record.

    :param keyspace_id: for a record without one; may be empty.
    """
    fields: dict[str, Any] = {}
    for column, (name, convert) in _COLUMNS.items():
        if column in values:
            try:
                fields[name] = convert(values[column])
            except _Wrong as error:
                return Refusal(column, str(error))
    fields.setdefault("keyspace_id", keyspace_id)
    for column, name in (("hash", "secret_hash"), ("external_id", "external_id"), ("keyspace", "keyspace_id")):
        if not fields.get(name):
            return Refusal(column, "This is required.")
    for column in ("start", "name", "external_id"):
        if tokens.digest(fields.get(column, "")) == fields["secret_hash"]:
            return Refusal(column, "This is the key itself, in clear.")
    return ImportedKey(**fields)


def _text(limit: int) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise _Wrong(f"This must be a string of at most {limit} characters.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Wrong("This is not UTF-8.") from None
        if "\0" in value:
            raise _Wrong("This has a NUL character.")
        return value

    return convert


def _hash(value: Any) -> bytes:
    if not isinstance(value, str) or not _HASH.match(value):
        raise _Wrong(
            "This must be the SHA-256 of the whole key, as 64 hexadecimal digits. If it is the key itself: hash it first, "
            "and keep it in no file."
        )
    secret_hash = bytes.fromhex(value)
    if secret_hash == tokens.digest(""):
        raise _Wrong("This is the hash of nothing.")
    return secret_hash


def _name(value: Any) -> str:
    name = _text(1000)(value).strip()
    if problem := name_problem(name):
        raise _Wrong(problem)
    return name


def _start(value: Any) -> str:
    start = _text(32)(value).strip()
    if not start.isprintable():
        raise _Wrong("This has a character that cannot be shown.")
    return start


def _boolean(value: Any) -> bool:
    word = value if isinstance(value, bool) else _WORDS.get(str(value).strip().lower())
    if word is None:
        raise _Wrong("This must be true or false.")
    return word


def _moment(value: Any) -> datetime:
    text = str(value).strip()
    try:
        moment = clock.from_milliseconds(int(text)) if _NUMBER.match(text) else parse_datetime(text)
        if moment is not None:
            # In UTC, where it must be a date still; TypeError is for one without a zone.
            moment = clock.from_milliseconds(clock.to_milliseconds(moment))
    except (ValueError, OverflowError, TypeError):
        moment = None
    if moment is None:
        raise _Wrong("This must be Unix milliseconds, or a time as in 2030-01-31T12:00:00Z, with its zone.")
    return moment


def _permissions(value: Any) -> tuple[str, ...]:
    names = value
    if isinstance(value, str):
        names = _json(value) if value.lstrip().startswith("[") else re.split(r"[\s,]+", value.strip(" ,"))
    names = (
        [*dict.fromkeys(names)] if isinstance(names, list) and all(isinstance(name, str) for name in names) else None
    )
    try:
        validate_key_permissions(names)
    except ValidationError:
        raise _Wrong(
            "This must be a list of at most 100 permissions, each of 1 to 100 letters, digits and any of _ . : * / -."
        ) from None
    return tuple(names or ())


def _metadata(value: Any) -> dict[str, Any]:
    found = _json(value) if isinstance(value, str) else value
    try:
        validate_metadata(found)
    except ValidationError:
        raise _Wrong(
            f"This must be a JSON object of at most {MAX_DEPTH} levels, without NUL characters and numbers that are none."
        ) from None
    metadata: dict[str, Any] = found
    return metadata


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _Wrong("This is no JSON.") from None


def _integer(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.match(text) or not 1 <= int(text) <= _MAX_INTEGER:
        raise _Wrong(f"This must be a whole number from 1 to {_MAX_INTEGER}.")
    return int(text)


_COLUMNS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "hash": ("secret_hash", _hash),
    "external_id": ("external_id", _text(256)),
    "keyspace": ("keyspace_id", _text(256)),
    "name": ("name", _name),
    "start": ("start", _start),
    "enabled": ("enabled", _boolean),
    "expires": ("expires_at", _moment),
    "permissions": ("permissions", _permissions),
    "metadata": ("metadata", _metadata),
    "rate_limit": ("rate_limit", _integer),
    "rate_limit_seconds": ("rate_limit_seconds", _integer),
    "created": ("created_at", _moment),
}
