"""The API alone, for a host that serves no pages: ``path("", include("portal.api.urls"))``."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.urls import path, re_path

from portal.health import urlpatterns as health

from .views.base import UnknownOperationView
from .views.keys import CreateKey, DeleteKey, ListKeys, RerollKey, UpdateKey
from .views.portal_sessions import ListSessions, RevokeSession
from .views.portals import CreatePortal, DeletePortal, GetPortal, UpdatePortal
from .views.session import EndSession, GetSession
from .views.sessions import CreateSession, ExchangeCode, ExchangeSession
from .views.verifications import GetVerifications

app_name = "portal"

urlpatterns = [
    *health,
    *(
        path(f"v2/{operation.name}", operation.as_view(), name=operation.name.partition(".")[2])
        for operation in (
            CreateSession,
            ExchangeSession,
            ExchangeCode,
            GetSession,
            EndSession,
            ListKeys,
            CreateKey,
            RerollKey,
            UpdateKey,
            DeleteKey,
            GetVerifications,
            ListSessions,
            RevokeSession,
            CreatePortal,
            GetPortal,
            UpdatePortal,
            DeletePortal,
        )
    ),
    # Operations of installed apps, such as portal.contrib.keys: an app names its module of urls in its configuration.
    *(
        pattern
        for app in apps.get_app_configs()
        if hasattr(app, "portal_api_urls")
        for pattern in import_module(app.portal_api_urls).urlpatterns
    ),
    # Everything else under our names answers in the envelope; a trailing slash must never become a redirect, which
    # turns the client's POST into a GET.
    re_path(r"^v2/(?:portal|keys)\.", UnknownOperationView.as_view(), name="unknown-operation"),
]
