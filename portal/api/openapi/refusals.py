"""Refusals as responses: one for each status that an operation refuses with, with the errors that have it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from portal.error_docs import DOCS
from portal.links import error_bases
from portal.problem import PortalError

from .schemas import Schema, items, number, record, ref, text

__all__ = ["EVERYWHERE", "HEADERS", "SCHEMAS", "examples", "responses"]

_ERROR = {
    "detail": text("what is wrong, for people"),
    "status": number("the HTTP status", 400),
    "title": text("the status in words"),
    "type": text("the address of a page about the error; its end does not change"),
}
_FINDINGS = items(ref("Finding"), "where in the request something is wrong; may be empty")

SCHEMAS: dict[str, Schema] = {
    "Meta": record(
        {
            "requestId": text(
                "finds the line in the server's log, and is in `X-Request-Id`", pattern="^req_[A-Za-z0-9]+$"
            )
        }
    ),
    "Finding": record(
        {"location": text("the place, such as `body.permissions[0]`"), "message": text("what is wrong there")},
        {"fix": text("what to do about it")},
    ),
    "Error": record({"meta": ref("Meta"), "error": record(_ERROR)}),
    "ErrorWithFindings": record({"meta": ref("Meta"), "error": record({**_ERROR, "errors": _FINDINGS})}),
}


def _header(schema: Schema, description: str) -> Schema:
    return {"description": description, "required": True, "schema": schema}


def _only(value: str) -> Schema:
    # Not const, which a project whose own schema is of OpenAPI 3.0 could not take.
    return {"type": "string", "enum": [value]}


_COUNT: Schema = {"type": "integer", "minimum": 0}
_SECONDS: Schema = {"type": "integer", "minimum": 1}

#: Every header that an answer can have, by its name. Where a response lists one, it is there.
HEADERS: dict[str, Schema] = {
    "X-Request-Id": _header({"type": "string", "pattern": "^req_[A-Za-z0-9]+$"}, "`meta.requestId` again"),
    "Cache-Control": _header(_only("no-store, private"), "No cache may keep an answer."),
    "WWW-Authenticate": _header({"type": "string", "pattern": '^Bearer realm="portal"'}, "which credential is needed"),
    "Allow": _header(_only("POST"), "the one method"),
    "Retry-After": _header(_SECONDS, "for how many seconds to wait before the same call"),
    "RateLimit-Limit": _header(_COUNT, "how many calls there are in a window"),
    "RateLimit-Remaining": _header(_only("0"), "how many are left in it"),
    "RateLimit-Reset": _header(_SECONDS, "in how many seconds the window ends"),
}
#: The headers of every answer, success or not.
EVERYWHERE = ("X-Request-Id", "Cache-Control")


def examples() -> dict[str, Any]:
    """Return an example answer for every error of the catalogue, by :func:`_key`."""
    return {
        _key(code): {"summary": doc.title, "value": json.loads(doc.body(*error_bases()))} for code, doc in DOCS.items()
    }


def responses(errors: Iterable[type[PortalError]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the status, the name and the response of each status that is among the errors', in order.

    The name says what is in it, so that operations with the same refusals share one response.
    """
    codes = {error.code for error in errors}
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code, doc in DOCS.items():
        if code in codes:
            by_status[int(doc.entry.status)].append(code)
    for status, group in by_status.items():
        name = ".".join([str(status), *(code.rpartition("/")[2] for code in group)])
        yield str(status), name, _response(status, group)


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    docs = [DOCS[code] for code in codes]
    schema = "ErrorWithFindings" if docs[0].entry.has_errors else "Error"
    # Only what all of them have is sure to be there.
    sure = [name for name in HEADERS if name in EVERYWHERE or all(name in doc.headers for doc in docs)]
    narrower = {"status": {"enum": [status]}, "type": {"pattern": _type_pattern(codes)}}
    return {
        "description": "\n".join(f"- `{code}`: {doc.title}" for code, doc in zip(codes, docs, strict=True)),
        "headers": {name: ref(name, "headers") for name in sure},
        "content": {
            docs[0].entry.content_type: {
                "schema": {"allOf": [ref(schema), {"properties": {"error": {"properties": narrower}}}]},
                "examples": {_key(code): ref(_key(code), "examples") for code in codes},
            }
        },
    }


def _type_pattern(codes: list[str]) -> str:
    # A portal that does not know its own address has no page to point to for the codes that are its own.
    unknown = "^about:blank$|" if any(code.startswith("portal/") for code in codes) else ""
    return f"{unknown}/(?:{'|'.join(codes)})$"


def _key(code: str) -> str:
    return code.replace("/", ".")
