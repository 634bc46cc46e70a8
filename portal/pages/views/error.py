"""``errors/``: a page for every error code of the API (design decision 3), for the developers of clients.

What they say is in portal.error_docs. They know no portal and ask no database: they are read when something is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt

from portal.error_docs import DOCS, ErrorDoc
from portal.http import outside_atomic_requests
from portal.links import error_bases
from portal.pages.refusals import refuse
from portal.pages.render import page

__all__ = ["error_index", "error_page"]


def _for_reading(view: Callable[..., HttpResponse]) -> Any:
    """Return ``view`` for GET and HEAD, without the host's login, its transaction and its CSRF page.

    A browser may keep what it answers, and asks each time whether that is still so: it is until the next deployment.
    """

    @wraps(view)
    def checked(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            response = refuse(request, "method", None)
            response["Allow"] = "GET, HEAD"
            return response
        response = view(request, **kwargs)
        if response.status_code != 200:
            return response
        # No cache that people share may: a host's own templates may greet whoever reads.
        response["Cache-Control"] = "no-cache, private"
        set_response_etag(response)
        return get_conditional_response(request, etag=response["ETag"], response=response) or response

    # Exempt so that a POST is told what is wrong with it, here and not by the host. It changes nothing.
    public = outside_atomic_requests(csrf_exempt(checked))
    public.login_required = False
    return public


@_for_reading
def error_index(request: HttpRequest) -> HttpResponse:
    """List all errors."""
    return _index(request, known=True)


@_for_reading
def error_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the page of one code, such as ``unkey/authentication/missing``; 404 with the list for a code that is none."""
    doc = DOCS.get(code)
    if doc is None:
        return _index(request, known=False)
    context = {
        "doc": doc,
        "call": _html(doc.call),
        "happened": _html(doc.happened),
        "headers": "\n".join(f"{name}: {value}" for name, value in doc.headers.items()),
        "body": doc.body(*error_bases()),
        "causes": _all_html(doc.causes),
        "fix": _html(doc.fix),
        "values": [(name, _html(meaning)) for name, meaning in doc.values.items()],
        "mistakes": _all_html(doc.mistakes),
        "related": [DOCS[error.code] for error in doc.related],
    }
    return _english(request, "error.html", context)


def _index(request: HttpRequest, *, known: bool) -> HttpResponse:
    groups: list[tuple[str, list[ErrorDoc]]] = [
        (status, list(docs)) for status, docs in groupby(DOCS.values(), key=lambda doc: doc.status)
    ]
    return _english(request, "error_index.html", {"known": known, "groups": groups}, status=200 if known else 404)


def _english(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    # The texts are English only, so the words around them are too, whatever the browser asks for.
    return page(request, template, None, context, status=status, session_locale="en")


def _html(text: str) -> SafeString:
    """Return a text of portal.error_docs as HTML: what stands between backticks becomes ``<code>``."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if odd % 2 else part,) for odd, part in parts)
    )


def _all_html(texts: Iterable[str]) -> list[SafeString]:
    return [_html(text) for text in texts]
