"""URLs of the full host."""

from django.contrib import admin
from django.urls import include, path

from tests.hosts import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("own/drf/", views.Own.as_view()),
    path("own/drf-session-first/", views.OwnAfterDjangoSession.as_view()),
    path("own/drf-staff/", views.OwnStaffOnly.as_view()),
    path("own/drf-throttled/", views.OwnThrottled.as_view()),
    path("own/drf-capability/", views.OwnWithCapability.as_view()),
    path("own/drf-write/", views.OwnWrite.as_view()),
    path("own/drf-refusal/", views.OwnRefusal.as_view()),
    path("own/drf-capability-of-a-backend/", views.OwnWithCapabilityOfABackend.as_view()),
    path("own/drf-root-key-refusal/", views.OwnRefusalForBackends.as_view()),
    path("own/drf-root-key/", views.OwnForBackends.as_view()),
    path("own/plain/", views.plain),
    path("own/plain-class/", views.PlainClass.as_view()),
    path("", include("portal.urls")),
]
