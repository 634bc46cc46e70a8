"""What every refusal is made of: a code, an HTTP status, a fixed public text; the codes themselves are in errors.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, TypedDict

__all__ = ["ErrorCode", "FieldError", "PortalError"]


class _FieldErrorRequired(TypedDict):
    location: str
    message: str


class FieldError(_FieldErrorRequired, total=False):
    """One finding about the request: a dotted ``location``, a ``message`` and, where there is one, a ``fix``.

    ``fix`` is left out rather than null: official clients fail to parse a null (wire contract, SDK strictness).
    """

    fix: str


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the catalogue.

    ``code`` is the path that ends the error's ``type``; ``has_errors`` says that the ``errors`` array is required
    (statuses 400 and 413), even when it is empty. ``title`` is the HTTP reason phrase, unless the contract has another.
    """

    code: str
    status: HTTPStatus
    title: str
    detail: str
    has_errors: bool

    @property
    def content_type(self) -> str:
        """The media type of the answer: problem+json for 429 alone, which is how official clients tell it."""
        return "application/problem+json" if self.status == 429 else "application/json"

    def type_url(self, contract_base: str, own_base: str | None) -> str:
        """Return the error's ``type``: the address of a page about it (design decision 3).

        :param contract_base: what the contract's codes are appended to, without a slash at the end.
        :param own_base: the same for the codes of this app; None where the portal does not know its address.
        """
        base = own_base if self.code.startswith("portal/") else contract_base
        return f"{base}/{self.code}" if base else "about:blank"


class PortalError(Exception):
    """Base of every refusal.

    :param detail: replaces the catalogue's text; public, so it must not carry anything that is not the caller's own.
    :param errors: findings for the ``errors`` array; only for statuses that have one.
    :param headers: extra response headers, such as ``Allow`` or ``Retry-After``.
    """

    code: ClassVar[str]
    status: ClassVar[HTTPStatus]
    default_detail: ClassVar[str]
    title: ClassVar[str] = ""

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.detail = self.default_detail if detail is None else detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    @classmethod
    def entry(cls) -> ErrorCode:
        """Return this error's row of the catalogue."""
        title = cls.title or cls.status.phrase
        return ErrorCode(cls.code, cls.status, title, cls.default_detail, has_errors=cls.status in {400, 413})
