"""The project that is measured: the portal and its peers as startproject would have them, without middleware."""

from __future__ import annotations

import json
import os

SECRET_KEY = "bench-only-and-long-enough-for-hs256"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF: object = "portal.urls"
DATABASES = json.loads(os.environ.get("BENCH_DATABASES", "{}"))
DATABASE_ROUTERS = ["bench.databases.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "bench",
    "portal",
    "portal.contrib.keys",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "knox",
    "oauth2_provider",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_api_key",
    "rest_framework_simplejwt.token_blacklist",
]
# Each row of the bench names what it needs, so that nobody pays for a neighbor.
MIDDLEWARE: list[str] = []
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STATIC_URL = "static/"

# Counting stays on, as shipped, and refuses nobody.
PORTAL = {
    "BASE_URL": "https://portal.example.com",
    "THROTTLE_RATES": {"create_session": "1000000000/min", "failed": "1000000000/min", "page_write": "1000000000/min"},
}
OAUTH2_PROVIDER = {"PKCE_REQUIRED": False, "SCOPES": {"read": "Read"}}
SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}
LOGIN_REDIRECT_URL = "/"
