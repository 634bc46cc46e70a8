"""What a request needs of a key: permissions, joined by AND and OR and grouped by parentheses.

``maps.read``, ``maps.read AND tiles.write``, ``(maps.read OR maps.*) AND tiles.write``: the language of ``keys.verifyKey``.
AND binds more closely than OR; upper and lower case are alike in the two words, and in nothing else. A permission is
letters, digits and any of ``_ . : * / -``, and means itself: a star is no wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

__all__ = ["MAX_LENGTH", "PermissionQuery", "PermissionQueryError", "parse", "queries"]

#: In characters.
MAX_LENGTH = 1000
_MAX_PERMISSIONS = 100
_MAX_DEPTH = 20

_WORD = re.compile(r"[ \t\r\n]*([()]|[0-9A-Za-z_.:*/-]+|\Z)", re.ASCII)


class PermissionQueryError(ValueError):
    """The text is not such an expression; the message says why, and is public."""


@dataclass(frozen=True, slots=True)
class _Joined:
    """Parts of which ``all`` or ``any`` must hold."""

    holds: Callable[[Iterable[bool]], bool]
    parts: tuple[_Part, ...]


_Part = str | _Joined


@dataclass(frozen=True, slots=True)
class PermissionQuery:
    """A need, as it was written and as it is judged."""

    text: str
    _root: _Part = field(repr=False)

    def is_met(self, held: Collection[str]) -> bool:
        """Say whether a key with the permissions ``held`` meets it."""
        return _is_met(self._root, held)


def _is_met(part: _Part, held: Collection[str]) -> bool:
    if isinstance(part, str):
        return part in held
    return part.holds(_is_met(inner, held) for inner in part.parts)


def queries(needed: str | Iterable[str | PermissionQuery]) -> tuple[PermissionQuery, ...]:
    """Return what must be met, all of it, to satisfy ``needed``.

    :param needed: an expression; or single permissions, each taken as it is, and queries.
    :raises PermissionQueryError: the expression is none. An empty one is none: a need that got lost must not let all in.
    """
    if isinstance(needed, str):
        return (parse(needed),)
    return tuple([PermissionQuery(one, one) if isinstance(one, str) else one for one in needed])


@lru_cache(maxsize=256)
def parse(text: str) -> PermissionQuery:
    """Return the need that ``text`` states.

    :raises PermissionQueryError: it states none.
    """
    if len(text) > MAX_LENGTH:
        raise PermissionQueryError(f"This must have at most {MAX_LENGTH} characters.")
    return PermissionQuery(text, _Parser(text).parse())


class _Parser:
    """Reads words from left to right, never going back; nesting is bounded, and so is the depth of the calls."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0
        self._depth = 0
        self._permissions = 0
        self._next()

    def parse(self) -> _Part:
        whole = self._any()
        if self._word:
            raise self._expected("AND, OR or the end")
        return whole

    def _any(self) -> _Part:
        return self._joined(any, "OR", self._all)

    def _all(self) -> _Part:
        return self._joined(all, "AND", self._single)

    def _joined(self, holds: Callable[[Iterable[bool]], bool], word: str, read: Callable[[], _Part]) -> _Part:
        parts = [read()]
        while self._word.upper() == word:
            self._next()
            parts.append(read())
        return parts[0] if len(parts) == 1 else _Joined(holds, tuple(parts))

    def _single(self) -> _Part:
        word = self._word
        if word == "(":
            return self._group()
        if word.upper() in {"", ")", "AND", "OR"}:
            raise self._expected("a permission or an opening parenthesis")
        self._permissions += 1
        if self._permissions > _MAX_PERMISSIONS:
            raise PermissionQueryError(f"This must name at most {_MAX_PERMISSIONS} permissions.")
        self._next()
        return word

    def _group(self) -> _Part:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PermissionQueryError(f"Parentheses must be at most {_MAX_DEPTH} deep.")
        self._next()
        inner = self._any()
        if self._word != ")":
            raise self._expected("AND, OR or a closing parenthesis")
        self._depth -= 1
        self._next()
        return inner

    def _next(self) -> None:
        found = _WORD.match(self._text, self._end)
        if found is None:
            at = len(self._text) - len(self._text[self._end :].lstrip(" \t\r\n")) + 1
            raise PermissionQueryError(
                f"Character {at} cannot be part of it. Use letters, digits, any of _ . : * / -, spaces and parentheses."
            )
        self._word, self._begin, self._end = found[1], found.start(1), found.end()

    def _expected(self, what: str) -> PermissionQueryError:
        place = f"At character {self._begin + 1}" if self._word else "At the end"
        return PermissionQueryError(f"{place} there must be {what}.")
