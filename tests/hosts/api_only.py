"""URLs of a host that serves the API and no pages."""

from django.urls import include, path

urlpatterns = [path("", include("portal.api.urls"))]
