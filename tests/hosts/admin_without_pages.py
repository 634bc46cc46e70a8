"""URLs of a host that serves the admin and the API, and no pages."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("portal.api.urls"))]
