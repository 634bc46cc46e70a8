"""What a session can be minted with beside whose it is and what it may do: one set of rules for API and shortcuts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, TypedDict

from . import destinations, origins
from .conf import portal_settings

__all__ = ["MAX_METADATA_BYTES", "MAX_NAME_LENGTH", "SessionOptions", "option_problems"]

MAX_NAME_LENGTH = 256
#: Of a session's metadata as compact JSON in UTF-8: it is read with every request of the session.
MAX_METADATA_BYTES = 2048

# RFC 5646 section 2.1, without its grandfathered tags: subtags of letters and digits, the language first.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z")
_MAX_LANGUAGE_LENGTH = 35
_SECOND = timedelta(seconds=1)


class SessionOptions(TypedDict, total=False):
    """The options of a mint; each may be left out.

    :param display_name: the user's name as the pages show it, at most 256 characters; the external id by default.
    :param preview: a session that looks and changes nothing.
    :param return_url: where “Back to …” leads, instead of the portal's own; its origin must be listed there.
    :param next: the page that the user lands on, as a path below the portal's address such as ``keys/key_123/rotate/``;
        the first tab by default, and also where the store cannot do what the page is for.
    :param locale: the user's language, such as ``de`` or ``pt-BR``. Pages that are not translated into it choose as
        without it.
    :param ttl: how long the session lives once exchanged: whole seconds, at most SESSION_TTL, which is the default.
    :param metadata: a JSON object of at most 2,048 bytes for your own code, which finds it in ``request.auth.metadata``
        and, in receivers of signals, in ``event.metadata``. The portal never shows it.
    """

    display_name: str
    preview: bool
    return_url: str
    next: str
    locale: str
    ttl: timedelta
    metadata: dict[str, Any]


def option_problems(
    options: SessionOptions, *, return_origins: Collection[str], capabilities: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the name of each option that is wrong, with a sentence that says what to write instead.

    :param return_origins: the portal's.
    :param capabilities: what the session will be granted.
    """
    name = options.get("display_name", "")
    if len(name) > MAX_NAME_LENGTH or "\0" in name:
        yield "display_name", f"Use at most {MAX_NAME_LENGTH} characters without NUL."
    if return_url := options.get("return_url"):
        try:
            origins.check_return_url(return_url, return_origins)
        except origins.OriginError as error:
            yield "return_url", str(error)
    if next_page := options.get("next"):
        needed = destinations.needs(destinations.normal_form(next_page))
        if needed is None:
            yield "next", destinations.RULE
        elif missing := [capability for capability in needed if capability not in capabilities]:
            yield "next", f"Grant {missing[0]} too: the page needs it."
    locale = options.get("locale", "")
    if locale and (len(locale) > _MAX_LANGUAGE_LENGTH or not _LANGUAGE.match(locale)):
        yield "locale", "Use a language code such as de or pt-BR."
    if "ttl" in options:
        longest, ttl = portal_settings.SESSION_TTL, options["ttl"]
        if not _SECOND <= ttl <= longest or (ttl != longest and ttl % _SECOND):
            yield "ttl", f"Use whole seconds, from 1 to {longest // _SECOND}."
    if "metadata" in options and (problem := _metadata_problem(options["metadata"])):
        yield "metadata", problem


def _metadata_problem(metadata: Any) -> str:
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode("utf-8"))
    except (TypeError, ValueError, RecursionError):
        # An infinity, half of a surrogate pair, or what JSON has no words for; the database would refuse it later.
        return "Use plain JSON values."
    # JSON writes a NUL as \\u0000, and the text of that after a backslash of its own.
    if not isinstance(metadata, dict) or "\\u0000" in text.replace("\\\\", ""):
        return "Use a JSON object without NUL characters."
    if size > MAX_METADATA_BYTES:
        return f"Use at most {MAX_METADATA_BYTES} bytes as JSON."
    return ""
