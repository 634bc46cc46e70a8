"""The full host: API and pages at the root, with the middleware that startproject writes."""

from __future__ import annotations

from tests.databases import databases

SECRET_KEY = "tests-only"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
DATABASES = databases()
USE_TZ = True
ROOT_URLCONF = "tests.hosts.full"

INSTALLED_APPS = [
    "portal",
    "portal.contrib.keys",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    # A host with keys of its own, for the key store of docs/how-to/write-a-key-store.md.
    "rest_framework_api_key",
    "tests.hosts.apikeys",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"

# Tests make more failures from one address than a minute allows; those of throttling set their own rates.
PORTAL = {"BASE_URL": "https://portal.example.com", "THROTTLE_RATES": None}
