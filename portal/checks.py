"""System checks: what is wrong with the settings, before a user finds out. Ids are never reused.

``portal.E0xx`` and ``portal.W0xx`` run always; ``portal.E1xx`` and ``portal.W1xx`` look at a deployment and run with
``manage.py check --deploy`` only, because test runners and development servers are deployments of nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import DEFAULT_CACHE_ALIAS
from django.core.checks import ERROR, CheckMessage, Error, Tags, Warning, register

from .conf import DEFAULT_RATES, PortalSettings, portal_settings
from .origins import is_loopback, origin_of
from .throttle import parse_rate

__all__ = ["check_deployment", "check_settings", "register_checks"]

_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z", re.ASCII)


def _positive(value: Any) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


def _rates(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or not set(value) <= set(DEFAULT_RATES):
        return False
    try:
        return all(rate is None or parse_rate(rate) for rate in value.values())
    except (ValueError, AttributeError, TypeError):
        return False


def _url(value: Any) -> bool:
    return isinstance(value, str) and origin_of(value) is not None and not set(value) & set("?# ")


#: Key, what it must be, the id and the hint.
_RULES: Sequence[tuple[str, Callable[[Any], object], str, str]] = (
    ("BASE_URL", lambda v: v is None or _url(v), "E003", "Write it like https://example.com/portal, without a query."),
    ("CODE_TTL", _positive, "E004", "Use a positive timedelta, for example timedelta(minutes=15)."),
    ("SESSION_TTL", _positive, "E004", "Use a positive timedelta, for example timedelta(hours=24)."),
    ("PURGE_AFTER", _positive, "E004", "Use a positive timedelta, for example timedelta(days=30)."),
    ("EVENT_RETENTION", _positive, "E004", "Use a positive timedelta, for example timedelta(days=365)."),
    ("USAGE_RETENTION", _positive, "E004", "Use a positive timedelta, for example timedelta(days=90)."),
    ("REROLL_GRACE", lambda v: v == timedelta(0) or _positive(v), "E004", "Use timedelta(0), or a positive one."),
    (
        "THROTTLE_RATES",
        _rates,
        "E012",
        f"Use a dictionary with {', '.join(DEFAULT_RATES)}, each like '60/min' (sec, min, hour, day) or None.",
    ),
    (
        "SESSION_CACHE_SECONDS",
        lambda v: isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 60,
        "E014",
        "Use a number of seconds from 0, for off, to 60: so long an ended credential may still work elsewhere.",
    ),
    ("COOKIE_NAME", lambda v: isinstance(v, str) and _COOKIE_NAME.match(v), "E005", "Use letters, digits, - and _."),
    ("COOKIE_SAMESITE", lambda v: v in ("Lax", "Strict", "None"), "E006", "Use 'Lax', 'Strict' or 'None', as text."),
    ("COOKIE_SECURE", lambda v: v is None or isinstance(v, bool), "E007", "Use True, False or None."),
    ("COOKIE_PARTITIONED", lambda v: isinstance(v, bool), "E007", "Use True or False."),
    ("AUTO_CONTINUE", lambda v: isinstance(v, bool), "E007", "Use True or False."),
    (
        "TRUSTED_PROXIES",
        lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
        "E008",
        "Use the number of proxies in front of this server, 0 for none.",
    ),
    ("ERROR_DOCS_URL", _url, "E009", "Write it like https://example.com/docs/errors."),
)


def known_keys() -> list[str]:
    """Return the keys that ``settings.PORTAL`` may have."""
    return sorted(name for name, value in vars(PortalSettings).items() if isinstance(value, property))


def check_settings(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """Return what is wrong with ``settings.PORTAL`` itself."""
    given = getattr(settings, "PORTAL", {})
    if not isinstance(given, dict):
        return [Error("PORTAL is not a dictionary.", hint='Write PORTAL = {"BASE_URL": "…"}.', id="portal.E001")]
    return [*_unknown(given), *_wrong(given), *_cookie_rules(given), *_base_url()]


def _unknown(given: dict[str, Any]) -> Iterator[CheckMessage]:
    for key in given:
        if key not in known_keys():
            near = difflib.get_close_matches(str(key), known_keys(), n=1, cutoff=0)
            yield Error(f"PORTAL has no key {key!r}.", hint=f"Did you mean {near[0]!r}?", id="portal.E002")


def _wrong(given: dict[str, Any]) -> Iterator[CheckMessage]:
    for key, is_right, code, hint in _RULES:
        if key in given and not is_right(given[key]):
            yield Error(f"PORTAL[{key!r}] is {given[key]!r}.", hint=hint, id=f"portal.{code}")


def _cookie_rules(given: dict[str, Any]) -> Iterator[CheckMessage]:
    """Rules by which browsers drop a cookie without a word."""
    insecure = given.get("COOKIE_SECURE") is False
    if insecure and str(given.get("COOKIE_NAME", "")).startswith(("__Host-", "__Secure-")):
        yield Error(
            "Browsers drop a cookie of this name unless it is Secure.",
            hint="Leave COOKIE_SECURE out, or choose a COOKIE_NAME without the prefix.",
            id="portal.E010",
        )
    if insecure and given.get("COOKIE_SAMESITE") == "None":
        yield Error(
            "Browsers drop a SameSite=None cookie unless it is Secure.",
            hint="Leave COOKIE_SECURE out and serve the portal by https.",
            id="portal.E011",
        )
    if given.get("COOKIE_PARTITIONED") is True and given.get("COOKIE_SAMESITE") != "None":
        yield Warning(
            "A Partitioned cookie is for another site's frame, and there only SameSite=None is sent.",
            hint='Set COOKIE_SAMESITE to "None", or leave COOKIE_PARTITIONED out.',
            id="portal.W002",
        )


def _base_url() -> Iterator[CheckMessage]:
    if not settings.DEBUG and not getattr(settings, "PORTAL", {}).get("BASE_URL"):
        yield Warning(
            "PORTAL has no BASE_URL, so createSession cannot return links.",
            hint='Set PORTAL["BASE_URL"] to the public address of the portal, for example "https://example.com/portal".',
            id="portal.W001",
        )


def check_deployment(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """Return what is unsafe or slow about the deployment (security requirement 47)."""
    if any(message.level >= ERROR for message in check_settings()):
        # Told there already; what is not of its type cannot be looked into.
        return []
    return [*_address(), *_switches(), *_database(), *_cache(), *_static_files()]


def _address() -> Iterator[CheckMessage]:
    base = portal_settings.BASE_URL
    if base is None:
        yield Error(
            "PORTAL has no BASE_URL.",
            hint="Set it to the public address: links must not depend on a request's Host header.",
            id="portal.E101",
        )
        return
    if base.startswith("http://") and not is_loopback(urlsplit(base).hostname or ""):
        yield Error(
            "PORTAL's BASE_URL is plain http: codes and cookies can be read on the way.",
            hint="Serve the portal by https.",
            id="portal.E102",
        )
    if base.startswith("https://") and portal_settings.COOKIE_SECURE is False:
        yield Error("The portal is served by https and COOKIE_SECURE is False.", hint="Leave it out.", id="portal.E103")


def _switches() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error(
            "DEBUG is on: error pages show settings, and links follow the Host header.",
            hint="Set DEBUG = False.",
            id="portal.E104",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS holds '*': the portal cannot tell its own origin from a forged one.",
            hint="Name the hosts.",
            id="portal.E105",
        )


def _database() -> Iterator[CheckMessage]:
    from .models.checks import portal_database  # No models are there yet when this module is imported.

    database = settings.DATABASES[alias := portal_database()]
    engine, options = str(database.get("ENGINE", "")), database.get("OPTIONS", {})
    if engine.endswith("sqlite3") and options.get("transaction_mode") != "IMMEDIATE":
        yield Warning(
            f"The SQLite database {alias!r} begins transactions without taking the write lock.",
            hint='Set OPTIONS["transaction_mode"] = "IMMEDIATE", or your own transactions will fail as "locked".',
            id="portal.W101",
        )
    if "postgresql" in engine and database.get("CONN_MAX_AGE", 0) == 0 and not options.get("pool"):
        yield Warning(
            f"Each request opens a new connection to the database {alias!r}, which costs more than all the rest of it.",
            hint='Set CONN_MAX_AGE = None and CONN_HEALTH_CHECKS = True, or OPTIONS["pool"].',
            id="portal.W102",
        )
    # psycopg's numbers: 2 is READ COMMITTED, PostgreSQL's default.
    if "postgresql" in engine and (options.get("isolation_level") or 2) > 2:
        yield Warning(
            f"The database {alias!r} is stricter than READ COMMITTED: a code that is minted while its portal is being "
            "disabled could work after re-enabling, and two portals could come to share a keyspace.",
            hint='Leave OPTIONS["isolation_level"] out for the database of the portal.',
            id="portal.W106",
        )


def _cache() -> Iterator[CheckMessage]:
    if not any(portal_settings.THROTTLE_RATES.values()):
        return
    backend = str(settings.CACHES.get(DEFAULT_CACHE_ALIAS, {}).get("BACKEND", ""))
    if backend.endswith((".LocMemCache", ".DummyCache")):
        yield Warning(
            "Each process counts for itself: with n processes a limit of THROTTLE_RATES is n times as high.",
            hint="Let the cache 'default' be Redis or Memcached, or serve with one process and silence this check.",
            id="portal.W104",
        )
    if backend.endswith((".DatabaseCache", ".FileBasedCache")):
        yield Warning(
            "The cache 'default' counts in two steps, so requests at the same moment can be counted as one.",
            hint="Use Redis or Memcached, which count in one.",
            id="portal.W105",
        )


def _static_files() -> Iterator[CheckMessage]:
    try:
        staticfiles_storage.url("portal/portal.css")
    except ValueError:
        yield Warning(
            "The portal's stylesheet is not among the collected static files, so no page can be shown.",
            hint="Run manage.py collectstatic when you deploy.",
            id="portal.W103",
        )


def register_checks() -> None:
    """Register the checks with Django; called when the app is ready."""
    # These know the models, and this module is imported before there are any.
    from .keystore.checks import check_key_store
    from .models.checks import check_database

    for check in (check_settings, check_database, check_key_store):
        register(check, Tags.security)
    register(check_deployment, Tags.security, deploy=True)
