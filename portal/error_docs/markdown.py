"""The pages as Markdown, for readers of the repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from posixpath import dirname, relpath
from textwrap import fill

from . import DOCS
from .doc import ErrorDoc

__all__ = ["markdown_files"]

_CONTRACT_BASE = "https://unkey.com/docs/errors"
_OWN_BASE = "https://portal.example.com/errors"
_INDEX = "README.md"


def markdown_files() -> Mapping[str, str]:
    """Return the text of each file by its path, which is the code's own below one folder."""
    return {_INDEX: _index(), **{f"{code}.md": _page(doc) for code, doc in DOCS.items()}}


def _index() -> str:
    parts = [
        "# Errors",
        "<!-- Written by python -m portal.error_docs docs/reference/errors; the texts are in portal/error_docs/. -->",
        _prose(
            "Every error that the API answers, with what causes it and how to fix it. The portal serves the same pages "
            'below `errors/`; with `PORTAL["ERROR_DOCS_URL"]` set to its `BASE_URL` plus `/errors`, the `type` of every '
            "error leads there."
        ),
    ]
    for status, docs in groupby(DOCS.values(), key=lambda doc: doc.status):
        parts += [f"## {status}", _items(_link(doc, here=".") for doc in docs)]
    return _document(parts)


def _page(doc: ErrorDoc) -> str:
    here = dirname(doc.entry.code)
    headers = "\n".join(f"{name}: {value}" for name, value in doc.headers.items())
    return _document(
        [
            f"# {doc.title}",
            f"`{doc.name}`, HTTP status {doc.status}",
            "## What happened",
            _prose(doc.happened),
            "## Example",
            _prose(f"The answer to {doc.call}:"),
            f"```http\n{headers}\n```",
            f"```json\n{doc.body(_CONTRACT_BASE, _OWN_BASE)}\n```",
            "## Causes",
            _items(doc.causes),
            "## How to fix it",
            _prose(doc.fix),
            f"```sh\n{doc.curl}\n```",
            "Your own values in it:",
            _items(f"`{name}`: {meaning}" for name, meaning in doc.values.items()),
            "## Common mistakes",
            _items(doc.mistakes),
            "## Related errors",
            _items(_link(DOCS[error.code], here=here) for error in doc.related),
            f"[All errors]({relpath(_INDEX, here)})",
        ]
    )


def _document(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _prose(text: str, *, indent: str = "") -> str:
    return fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _items(texts: Iterable[str]) -> str:
    return "\n".join(_prose(f"- {text}", indent="  ") for text in texts)


def _link(doc: ErrorDoc, *, here: str) -> str:
    return f"[{doc.title}]({relpath(f'{doc.entry.code}.md', here)}): `{doc.name}`"
