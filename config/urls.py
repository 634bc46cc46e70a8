"""The demo's addresses: its product page and API, the admin, and the portal, last because it takes every first segment."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from . import api, views

urlpatterns = [
    path("", views.product, name="product"),
    path("manage-keys/", views.manage_keys, name="manage-keys"),
    path("api/tiles/", api.Tiles.as_view(), name="tiles"),
    path("admin/", admin.site.urls),
    path("", include("portal.urls")),
]
