"""Pages that ask before something ends, and the answer that shows a secret once; for sessions and root keys."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse

__all__ = ["confirm_page", "object_context"]


def object_context(model_admin: ModelAdmin[Any], request: HttpRequest, title: str, original: Any) -> dict[str, Any]:
    """Return the context of a page about ``original`` that extends the admin's change_form.html.

    :param original: the row, or a text for the last of the breadcrumbs.
    """
    # Admin templates and tags find the site's URLs through it.
    request.current_app = model_admin.admin_site.name
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "original": original,
        "has_view_permission": model_admin.has_view_permission(request),
    }


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
