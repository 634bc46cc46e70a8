"""URLs of a host with the admin and the pages, and without the API."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("portal.pages.urls"))]
