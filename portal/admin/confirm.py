"""Pages that ask before something ends; for sessions and root keys."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from .page import object_context

__all__ = ["confirm_page"]


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
        "admin/portal/portalsession/confirm.html",
        {
            **object_context(model_admin, request, title, original),
            "question": question,
            "button": button,
            "danger": danger,
            **context,
        },
    )
