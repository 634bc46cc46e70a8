"""The one body format: a JSON object in UTF-8, within bounds (security requirement 26).

``json.loads`` alone lets through what hurts later: nesting that overflows the stack, NaN, duplicate members of which the
last wins, NUL and lone surrogates that the database driver refuses, UTF-16 under another name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from django.http import HttpRequest, UnreadablePostError

from portal.errors import BodyTooLarge, BodyUnreadable, InvalidInput, UnsupportedMediaType
from portal.texts import is_storable

__all__ = ["MAX_BODY_BYTES", "check_size", "is_json", "read_object"]

MAX_BODY_BYTES = 256 * 1024
_MAX_DEPTH = 32
_MAX_LENGTH_DIGITS = 18


def check_size(meta: Mapping[str, Any]) -> None:
    """Refuse by the headers, before anything is read.

    :raises BodyTooLarge: the announced body is over the limit.
    :raises BodyUnreadable: a body comes without its length, in chunks (RFC 9112 section 7.1). By WSGI nothing of it would be
        read, and the request would be taken for one without a body.
    """
    length = meta.get("CONTENT_LENGTH")
    if not length and meta.get("HTTP_TRANSFER_ENCODING"):
        raise BodyUnreadable("The request body could not be read. Send it with a Content-Length, not in chunks.")
    if not length or not length.isascii() or not length.isdigit():
        return
    # By its number of digits first: int() refuses thousands of them.
    if len(length) > _MAX_LENGTH_DIGITS or int(length) > MAX_BODY_BYTES:
        raise BodyTooLarge


def is_json(request: Any) -> bool:
    """Say whether the request declares plain UTF-8 JSON. A browser cannot send that across origins unasked."""
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    return request.content_type == "application/json" and charset in {"utf-8", "utf8"}


def read_object(request: HttpRequest) -> dict[str, Any]:
    """Return the members of the request's body, which is a JSON object; without a body there are none.

    :raises BodyUnreadable: the client went away in the middle.
    :raises BodyTooLarge: more than :data:`MAX_BODY_BYTES` came.
    :raises UnsupportedMediaType: not plain UTF-8 JSON, or compressed.
    :raises InvalidInput: not a JSON object, or one with something in it that we do not take.
    """
    try:
        # Not request.body: that reads whatever comes, and a host may have set a lower limit for its own forms. What a
        # middleware has read by that is read here again.
        body = request.read(MAX_BODY_BYTES + 1)
    except UnreadablePostError:
        raise BodyUnreadable from None
    if not body:
        return {}
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    # META, because request.headers makes a mapping of all headers first.
    if not is_json(request) or request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() not in {"", "identity"}:
        raise UnsupportedMediaType
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
            if not is_storable(string):
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
