"""What a session can be minted with beside whose it is and what it may do: one set of rules for API and shortcuts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypedDict, cast

from . import destinations, origins, texts
from .conf import portal_settings

__all__ = [
    "MAX_LOCALE_LENGTH",
    "MAX_METADATA_BYTES",
    "MAX_NAME_LENGTH",
    "SessionOptions",
    "given_options",
    "is_locale",
    "option_problems",
]

MAX_NAME_LENGTH = 256
#: Of a session's metadata as compact JSON in UTF-8: it is read with every request of the session.
MAX_METADATA_BYTES = 2048

# RFC 5646 section 2.1, without its grandfathered tags: subtags of letters and digits, the language first.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z")
MAX_LOCALE_LENGTH = 35
_SECOND = timedelta(seconds=1)

#: What each option is made of, and what to call that.
_KINDS: dict[str, tuple[type, str]] = {
    "display_name": (str, "text"),
    "preview": (bool, "True or False"),
    "return_url": (str, "text"),
    "next": (str, "text"),
    "locale": (str, "text"),
    "ttl": (timedelta, "a timedelta"),
    "metadata": (dict, "a JSON object"),
}


class SessionOptions(TypedDict, total=False):
    """The options of a mint; each may be left out, and None is as good.

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

    display_name: str | None
    preview: bool | None
    return_url: str | None
    next: str | None
    locale: str | None
    ttl: timedelta | None
    metadata: dict[str, Any] | None


def given_options(options: Mapping[str, Any]) -> SessionOptions:
    """Return ``options`` without those that are None.

    :raises TypeError: one is no option. The other columns of a session are worked out and checked by the mint; a caller
        who could name ``capabilities`` here would grant them past every check.
    """
    if unknown := sorted(options.keys() - _KINDS.keys()):
        raise TypeError(f"'{unknown[0]}' is not an option of a session; the options are {', '.join(sorted(_KINDS))}.")
    return cast(SessionOptions, {name: value for name, value in options.items() if value is not None})


def is_locale(value: str) -> bool:
    """Say whether ``value`` is written as a language code (RFC 5646 section 2.1), such as ``de`` or ``pt-BR``.

    Whether the pages are translated into it is another question.
    """
    return len(value) <= MAX_LOCALE_LENGTH and _LANGUAGE.match(value) is not None


def option_problems(
    options: SessionOptions, *, return_origins: Collection[str], capabilities: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the name of each option that is wrong, with a sentence that says what to write instead.

    :param return_origins: the portal's.
    :param capabilities: what the session will be granted.
    """
    given: dict[str, Any] = {}
    for option, value in options.items():
        kind, words = _KINDS[option]
        if isinstance(value, kind):
            given[option] = value
        else:
            yield option, f"Use {words}."
    name = given.get("display_name", "")
    if len(name) > MAX_NAME_LENGTH or not texts.is_storable(name):
        yield "display_name", f"Use at most {MAX_NAME_LENGTH} characters, without NUL and half surrogate pairs."
    if return_url := given.get("return_url"):
        try:
            origins.check_return_url(return_url, return_origins)
        except origins.OriginError as error:
            yield "return_url", str(error)
    if next_page := given.get("next"):
        needed = destinations.needs(destinations.normal_form(next_page))
        if needed is None:
            yield "next", destinations.RULE
        elif missing := [capability for capability in needed if capability not in capabilities]:
            yield "next", f"Grant {missing[0]} too: the page needs it."
    locale = given.get("locale", "")
    if locale and not is_locale(locale):
        yield "locale", "Use a language code such as de or pt-BR."
    if "ttl" in given:
        longest, ttl = portal_settings.SESSION_TTL, given["ttl"]
        if not _SECOND <= ttl <= longest or (ttl != longest and ttl % _SECOND):
            yield "ttl", f"Use whole seconds, from 1 to {longest // _SECOND}."
    if "metadata" in given and (problem := _metadata_problem(given["metadata"])):
        yield "metadata", problem


def _metadata_problem(metadata: dict[Any, Any]) -> str:
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode("utf-8"))
    except (TypeError, ValueError, RecursionError):
        # An infinity, half of a surrogate pair, or what JSON has no words for; the database would refuse it later.
        return "Use plain JSON values."
    # JSON writes a NUL as \\u0000, and the text of that after a backslash of its own.
    if "\\u0000" in text.replace("\\\\", ""):
        return "Leave out the NUL characters."
    if size > MAX_METADATA_BYTES:
        return f"Use at most {MAX_METADATA_BYTES} bytes as JSON."
    return ""
