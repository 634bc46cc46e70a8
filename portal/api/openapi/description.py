"""What is said of an operation that its view and its serializer do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.api.serializers.base import StrictSerializer
from portal.problem import PortalError

from .schemas import Schema

__all__ = ["Description", "Form"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A request and its answer.

    :param answer: the schemas of the answer's members beside ``meta``, ``data`` above all.
    :param example: the members of an example's body, and of the answer to it.
    :param body: what validates the body, where an operation has several forms; else the view's serializer.
    """

    answer: Mapping[str, Schema]
    example: tuple[Mapping[str, Any], Mapping[str, Any]]
    body: type[StrictSerializer] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """One operation.

    :param summary: what it does, in a few words.
    :param text: more about it, in Markdown.
    :param tag: the group that it belongs to.
    :param forms: its forms, by a name; most operations have one.
    :param errors: what it refuses with, beside what all operations do, and all with the same credential.
    :param idempotent: whether it takes an ``Idempotency-Key``.
    :param links: the operations that go on from its answer, each with the members of their bodies that come from there,
        as runtime expressions of OpenAPI.
    """

    summary: str
    tag: str
    forms: Mapping[str, Form]
    text: str = ""
    errors: tuple[type[PortalError], ...] = ()
    idempotent: bool = False
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
