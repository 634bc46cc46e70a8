"""The pages alone, for a host that serves no API: ``path("", include("portal.pages.urls"))``."""

from __future__ import annotations

from django.urls import path

from .views.enter import Enter, Home
from .views.session import SessionPage, SignedOut, SignOut

app_name = "portal"

urlpatterns = [
    path("<slug:slug>/", Home.as_view(), name="home"),
    path("<slug:slug>/enter/", Enter.as_view(), name="enter"),
    path("<slug:slug>/session/", SessionPage.as_view(), name="session"),
    path("<slug:slug>/session/end/", SignOut.as_view(), name="sign-out"),
    path("<slug:slug>/signed-out/", SignedOut.as_view(), name="signed-out"),
]
