"""The one body format: a JSON object in UTF-8, within bounds (security requirement 26).

``json.loads`` alone lets through what hurts later: nesting that overflows the stack, NaN, duplicate members of which the
last wins, NUL and lone surrogates that the database driver refuses, UTF-16 under another name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.http import HttpRequest, RawPostDataException, UnreadablePostError
from rest_framework.parsers import BaseParser

from portal.errors import BodyTooLarge, BodyUnreadable, InvalidInput, UnsupportedMediaType

__all__ = ["MAX_BODY_BYTES", "StrictJSONParser", "check_size", "is_json"]

MAX_BODY_BYTES = 256 * 1024
_MAX_DEPTH = 32
_MAX_LENGTH_DIGITS = 18


def check_size(length: str | None) -> None:
    """Refuse by the Content-Length header, before anything is read.

    :raises BodyTooLarge: the announced body is over the limit.
    """
    if not length or not length.isascii() or not length.isdigit():
        return
    # By its number of digits first: int() refuses thousands of them.
    if len(length) > _MAX_LENGTH_DIGITS or int(length) > MAX_BODY_BYTES:
        raise BodyTooLarge


def is_json(request: Any) -> bool:
    """Say whether the request declares plain UTF-8 JSON. A browser cannot send that across origins unasked."""
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    return request.content_type == "application/json" and charset in {"utf-8", "utf8"}


class StrictJSONParser(BaseParser):
    """Parses the body to a dictionary, or raises one of our errors."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the body's members.

        :raises UnsupportedMediaType: not plain UTF-8 JSON, or compressed.
        :raises BodyTooLarge: more than :data:`MAX_BODY_BYTES` came.
        :raises BodyUnreadable: the client went away in the middle.
        :raises InvalidInput: not a JSON object, or one with something in it that we do not take.
        """
        request: HttpRequest = (parser_context or {})["request"]._request
        if not is_json(request):
            raise UnsupportedMediaType
        # META, because request.headers makes a mapping of all headers first.
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() not in {"", "identity"}:
            raise UnsupportedMediaType
        try:
            body = stream.read(MAX_BODY_BYTES + 1)
        except (UnreadablePostError, RawPostDataException, OSError):
            raise BodyUnreadable from None
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        return load_object(body)


def load_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body``.

    :raises InvalidInput: with one finding that says what to change.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("The body is not UTF-8.", "Encode it as UTF-8.")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant)
    except InvalidInput:
        raise
    except json.JSONDecodeError as error:
        _refuse(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", "Send one JSON object."
        )
    except (RecursionError, ValueError):
        _refuse("The body is nested too deeply or holds a number that is too long.", "Send a plain JSON object.")
    if not isinstance(value, dict):
        _refuse("The body is not a JSON object.", "Send an object, for example {}.")
    # Walked only when there can be something to find: the bounds are cheap to rule out in the text.
    if "\\u" in text or text.count("[") + text.count("{") > _MAX_DEPTH:
        for depth, string in _strings(value):
            if depth > _MAX_DEPTH:
                _refuse(f"The body is nested more than {_MAX_DEPTH} levels deep.", "Send a plain JSON object.")
            if "\0" in string or any("\ud800" <= character <= "\udfff" for character in string):
                _refuse("A text holds a NUL or half of a surrogate pair.", "Remove it; no text here can hold one.")
    return value


def _strings(value: Any) -> Iterator[tuple[int, str]]:
    """Yield the depth and text of everything in ``value``, names included, without recursion."""
    stack = [(1, value)]
    while stack:
        depth, item = stack.pop()
        if isinstance(item, str):
            yield depth, item
        elif isinstance(item, dict):
            yield depth, ""
            for name, member in item.items():
                yield depth, name
                stack.append((depth + 1, member))
        elif isinstance(item, list):
            yield depth, ""
            stack.extend((depth + 1, member) for member in item)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # Two readers of one document that pick different members are how checks get bypassed.
        _refuse("A member appears twice in one object.", "Send each member once.")
    return members


def _constant(name: str) -> NoReturn:
    _refuse(f"{name} is not JSON.", "Send a number or leave the member out.")


def _refuse(message: str, fix: str) -> NoReturn:
    raise InvalidInput(
        "The request body could not be understood.", errors=[{"location": "body", "message": message, "fix": fix}]
    )
