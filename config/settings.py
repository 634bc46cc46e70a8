"""Settings of the demo project, from the environment; .env.example lists every variable."""

from __future__ import annotations

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
# A key that everybody can read signs nothing, so it is a default only while DEBUG says that nothing is at stake.
SECRET_KEY = env.str("SECRET_KEY", default="demo-only-not-a-secret" if DEBUG else environ.Env.NOTSET)
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text; .env.example says how to make one.")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])

INSTALLED_APPS = [
    "config",
    "portal",
    "portal.contrib.keys",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # Leaves itself out unless DEBUG is on.
    "portal.server_timing.ServerTimingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

# Two files, because the demo's has an admin whose password everybody knows.
_sqlite = BASE_DIR / ("demo.sqlite3" if DEBUG else "db.sqlite3")
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{_sqlite}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers and the writer work side by side; IMMEDIATE makes a transaction wait for the lock at its start,
    # where waiting works, and not in its middle, where SQLite gives up at once.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        # Seconds until a writer gives up; the answer is a 503 within ten.
        "timeout": 8,
    }
else:
    # Django's default opens a connection for each request, which costs more than everything else in it.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
# Production serves what "manage.py collectstatic" collected, under hashed names that browsers may keep for ever.
_static_backend = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _static_backend},
}

PORTAL = {"BASE_URL": env.str("PORTAL_BASE_URL", default=None)}
if not env.bool("PORTAL_THROTTLE", default=True):
    PORTAL["THROTTLE_RATES"] = None

_secure = (PORTAL["BASE_URL"] or "").startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SECURE_HSTS_SECONDS = 31536000 if _secure else 0
# Decisions about the whole domain, not the portal's: HSTS for its other hosts, its place in browsers' preload list, and the
# redirect to https, which belongs to the proxy that ends TLS (docs/how-to/deploy.md).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "security.W008"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        # The landing page's address holds a one-time code; this keeps it out of every line written here.
        "redact": {"()": "portal.logs.RedactFilter"},
        "request_id": {"()": "portal.request_id.RequestIdFilter"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "filters": ["redact", "request_id"], "formatter": "line"}
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
