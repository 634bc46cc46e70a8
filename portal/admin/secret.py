"""The answer that shows a secret, the only time that anybody sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from portal.models import Issued

from .page import object_context

__all__ = ["secret_page"]


@sensitive_variables("issued", "context")
def secret_page(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    title: str,
    issued: Issued[Any],
    *,
    label: str,
    old_secret_ends: datetime | None,
    curl: str = "",
) -> HttpResponse:
    """Answer 200 with the secret; the admin forbids to store its pages.

    In the answer to the POST itself: a redirect would have to keep the secret somewhere, in messages, a session or an
    address, and all of those are written down.

    :param label: what the secret is called.
    :param old_secret_ends: None where there is no other secret that still works.
    :param curl: a call that uses the secret, without it.
    """
    opts = model_admin.opts
    page = f"admin:{opts.app_label}_{opts.model_name}_change"
    context = {
        **object_context(model_admin, request, title, issued.row),
        # Not its secret: Django logs a variable that a template does not find with the whole context, and Issued masks it.
        "issued": issued,
        "label": label,
        "old_secret_ends": old_secret_ends,
        "curl": curl,
        "page": reverse(page, args=[issued.row.pk], current_app=model_admin.admin_site.name),
    }
    # Rendered here: a TemplateResponse would carry the secret through the host's middleware before it is text.
    return render(request, "admin/portal/secret.html", context)
