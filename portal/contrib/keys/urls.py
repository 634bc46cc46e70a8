"""The operations of this app; portal.api.urls takes them up, in the namespace ``portal``."""

from __future__ import annotations

from django.urls import path

from .views import VerifyKey

urlpatterns = [path(f"v2/{VerifyKey.name}", VerifyKey.as_view(), name="verifyKey")]
