"""Everything: ``path("portal/", include("portal.urls"))``, last in the host's URLconf."""

from __future__ import annotations

from .api.urls import urlpatterns as api
from .pages.urls import urlpatterns as pages

app_name = "portal"

urlpatterns = [*api, *pages]
