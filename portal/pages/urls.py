"""The pages alone, for a host that serves no API: ``path("", include("portal.pages.urls"))``."""

from __future__ import annotations

from django.urls import path, re_path

from portal.health import urlpatterns as health
from portal.slugs import RESERVED

from .views.brand import Icon, Logo, Theme
from .views.enter import Enter, Home
from .views.error import error_index, error_page
from .views.key import EndOldSecret, KeyPage
from .views.key_create import KeyCreate
from .views.key_edit import KeyEdit
from .views.key_revoke import KeyRevoke
from .views.key_rotate import KeyRotate
from .views.keys import KeyList
from .views.nothing import Nothing
from .views.reveal import KeySaved
from .views.session import SessionPage, SignedOut, SignOut
from .views.usage import UsageCSV, UsagePage

app_name = "portal"

urlpatterns = [
    *health,
    path("errors/", error_index, name="errors"),
    path("errors/<path:code>", error_page, name="error"),
    path("<slug:slug>/", Home.as_view(), name="home"),
    path("<slug:slug>/enter/", Enter.as_view(), name="enter"),
    path("<slug:slug>/keys/", KeyList.as_view(), name="keys"),
    path("<slug:slug>/keys/new/", KeyCreate.as_view(), name="key-create"),
    path("<slug:slug>/keys/<str:key_id>/", KeyPage.as_view(), name="key"),
    path("<slug:slug>/keys/<str:key_id>/end-old/", EndOldSecret.as_view(), name="key-end-old"),
    path("<slug:slug>/keys/<str:key_id>/edit/", KeyEdit.as_view(), name="key-edit"),
    path("<slug:slug>/keys/<str:key_id>/rotate/", KeyRotate.as_view(), name="key-rotate"),
    path("<slug:slug>/keys/<str:key_id>/revoke/", KeyRevoke.as_view(), name="key-revoke"),
    path("<slug:slug>/keys/<str:key_id>/saved/", KeySaved.as_view(), name="key-saved"),
    path("<slug:slug>/usage/", UsagePage.as_view(), name="usage"),
    path("<slug:slug>/usage.csv", UsageCSV.as_view(), name="usage-csv"),
    path("<slug:slug>/session/", SessionPage.as_view(), name="session"),
    path("<slug:slug>/session/end/", SignOut.as_view(), name="sign-out"),
    re_path(r"^(?P<slug>[-a-z0-9]+)/theme\.(?P<digest>[0-9a-f]{12})\.css$", Theme.as_view(), name="theme"),
    re_path(r"^(?P<slug>[-a-z0-9]+)/icon\.(?P<digest>[0-9a-f]{12})\.svg$", Icon.as_view(), name="icon"),
    re_path(r"^(?P<slug>[-a-z0-9]+)/(?P<name>logo\.[0-9a-f]{12}\.(?:png|jpg|webp))$", Logo.as_view(), name="logo"),
    path("<slug:slug>/signed-out/", SignedOut.as_view(), name="signed-out"),
    # Last. No portal can have a reserved name, so what a host serves there after these, its media files say, stays its own.
    re_path(rf"^(?!(?:{'|'.join(sorted(RESERVED))})/)(?P<slug>[-a-z0-9]{{3,64}})/.+\Z", Nothing.as_view()),
]
