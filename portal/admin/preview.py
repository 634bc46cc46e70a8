"""Opening a portal as its users see it: a session that looks and changes nothing (design decision 15)."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from portal.conf import portal_settings
from portal.errors import Forbidden, PortalError
from portal.links import portal_link
from portal.models import PortalConfig, PortalSession
from portal.permissions import CAPABILITIES

from .actor import operator
from .address import NO_ADDRESS, portal_address
from .page import find, object_page

__all__ = ["PERMISSION", "PreviewForm", "preview"]

#: Apart from the right to change portals: a preview shows what a user sees.
PERMISSION = "portal.preview_portalconfig"


class PreviewForm(forms.Form):
    """Asks whose portal to look at."""

    external_id = forms.CharField(
        label=gettext_lazy("External id"),
        max_length=256,
        initial="preview-user",
        strip=False,
        widget=AdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Your id of a user. You see what this user sees; any other text shows an empty portal."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("link")
def preview(request: HttpRequest, model_admin: admin.ModelAdmin[PortalConfig], object_id: str) -> TemplateResponse:
    """Ask for an external id, mint a preview session for it, and show its link.

    A link, not a redirect: the portal may be on another origin, where a form-action policy would stop a redirect, and in
    a new tab the operator keeps the admin.
    """
    config = find(model_admin, request, object_id)
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form, link = PreviewForm(request.POST or None), ""
    if form.is_valid():
        try:
            link = _mint(request, config, form.cleaned_data["external_id"])
        except _Refused as error:
            form.add_error(None, str(error))
    return object_page(
        model_admin,
        request,
        config,
        "preview",
        _("Open preview"),
        form=form,
        link=link,
        minutes=portal_settings.CODE_TTL // timedelta(minutes=1),
    )


class _Refused(Exception):
    """There is no preview; the text says what to do about it."""


@sensitive_variables("code")
def _mint(request: HttpRequest, config: PortalConfig, external_id: str) -> str:
    """Return the one-time link of a new preview session.

    :raises _Refused: the portal is closed, or nobody knows where it is.
    """
    address = portal_address(config.slug, request)
    if not address:
        raise _Refused(NO_ADDRESS)
    try:
        _session, code = PortalSession.objects.create_session(
            config, external_id, CAPABILITIES, actor=operator(request), preview=True
        )
    except Forbidden:
        raise _Refused(_("This portal is closed. Switch it on first.")) from None
    except PortalError as error:
        raise _Refused(error.detail) from None
    return portal_link(address, code)
