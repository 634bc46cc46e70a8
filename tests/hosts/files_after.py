"""URLs of a host that serves its files after the portal, as ``+ static(MEDIA_URL)`` does, and a page of its own before."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def say(request: HttpRequest, **kwargs: str) -> HttpResponse:
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("blog/<str:post>/", say),
    path("", include("portal.urls")),
    path("media/<path:name>", say),
]
