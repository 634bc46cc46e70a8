"""Pages that ask before something ends, and one that says why nothing was done."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from .page import object_context

__all__ = ["confirm_page", "refused_page"]


def confirm_page(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    title: str,
    *,
    original: Any,
    question: str,
    button: str,
    danger: bool = True,
    **context: Any,
) -> TemplateResponse:
    """Answer with a page that asks ``question``; its form posts to the same address.

    :param context: ``hidden``, pairs of names and values to post along; ``fields``, a form to fill in; ``rows``, what
        it is about, as texts; ``back``, where "No, take me back" leads without a script.
    """
    return TemplateResponse(
        request,
        "admin/portal/confirm.html",
        {
            **object_context(model_admin, request, title, original),
            "question": question,
            "button": button,
            "danger": danger,
            **context,
        },
    )


def refused_page(
    model_admin: ModelAdmin[Any], request: HttpRequest, title: str, *, original: Any, text: str, page: str
) -> TemplateResponse:
    """Answer 409 with the reason why nothing was done.

    :param page: the address of the key that it is about.
    """
    context = {**object_context(model_admin, request, title, original), "text": text, "page": page}
    return TemplateResponse(request, "admin/portal/refused.html", context, status=409)
