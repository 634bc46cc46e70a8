"""Pages of one object in the admin, beside those that Django has: found, allowed, and rendered like Django's own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from portal.models import PortalConfig

__all__ = ["find", "object_context", "object_page"]


def find(model_admin: admin.ModelAdmin[PortalConfig], request: HttpRequest, object_id: str) -> PortalConfig:
    """Return the portal of an address in the admin.

    :raises PermissionDenied: the operator may not look at it.
    :raises Http404: there is none.
    """
    found = model_admin.get_object(request, unquote(object_id))
    # In this order, as in Django's own views: who may look at nothing does not learn which ids there are.
    if not model_admin.has_view_permission(request, found):
        raise PermissionDenied
    if found is None:
        raise Http404
    return found


def object_context(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, title: str, original: Any
) -> dict[str, Any]:
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


def object_page(
    model_admin: admin.ModelAdmin[PortalConfig],
    request: HttpRequest,
    config: PortalConfig,
    template: str,
    title: str,
    **context: Any,
) -> TemplateResponse:
    """Return a page about ``config`` in the admin's frame."""
    return TemplateResponse(
        request,
        f"admin/portal/portalconfig/{template}.html",
        {**object_context(model_admin, request, title, config), "subtitle": str(config), **context},
    )
