"""The one place where a secret exists in clear: the answer of the verb that made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from portal import tokens

__all__ = ["Issued"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Issued(Generic[T]):
    """A row and the secret that was made for it, which is stored nowhere and cannot be read again.

    Unpacks as a pair: ``session, code = PortalSession.objects.create_session(…)``. Its repr masks the secret, because
    reprs end up in tracebacks and logs.
    """

    row: T
    secret: str

    def __iter__(self) -> Iterator[Any]:
        yield self.row
        yield self.secret

    def __repr__(self) -> str:
        return f"Issued(row={self.row!r}, secret={tokens.mask(self.secret)!r})"
