"""URLs of a host that serves the pages under a prefix, and no API."""

from django.urls import include, path

urlpatterns = [path("customers/", include("portal.pages.urls"))]
