"""Typed access to ``settings.PORTAL``, a dictionary in which every key is optional.

Each property reads Django's settings at the moment of use, so ``override_settings`` works and nothing has to be refreshed.
Its docstring is the setting's reference.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from django.conf import settings

__all__ = ["DEFAULT_RATES", "PortalSettings", "portal_settings"]

#: THROTTLE_RATES where the host says nothing.
DEFAULT_RATES = {"create_session": "600/min", "failed": "60/min", "page_write": "60/min"}


class PortalSettings:
    """The settings of this app; use the instance :data:`portal_settings`."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, "PORTAL", {}).get(name, default)

    @property
    def BASE_URL(self) -> str | None:
        """Public address under which the portal is mounted, prefix included, without a trailing slash.

        The links that createSession returns start with it. They never come from a request's headers in production: a
        forged Host would send users, and their codes, to a stranger. None (the default) is for development, where DEBUG
        allows the request's own address.
        """
        value: str | None = self._get("BASE_URL", None)
        return value.rstrip("/") if value else None

    @property
    def CODE_TTL(self) -> timedelta:
        """How long an exchange code can be used. 15 minutes by default, as the contract says."""
        value: timedelta = self._get("CODE_TTL", timedelta(minutes=15))
        return value

    @property
    def SESSION_TTL(self) -> timedelta:
        """How long a session lasts after its exchange; there is no idle timeout. 24 hours by default.

        Read when a session is minted; a mint may ask for less.
        """
        value: timedelta = self._get("SESSION_TTL", timedelta(hours=24))
        return value

    @property
    def COOKIE_NAME(self) -> str:
        """Name of the cookie that holds the access token; ``portal_session`` by default, as the contract says.

        ``__Host-portal_session`` makes browsers enforce what the cookie already is (Secure, host-only, Path=/).
        """
        return str(self._get("COOKIE_NAME", "portal_session"))

    @property
    def COOKIE_SECURE(self) -> bool | None:
        """Whether cookies are Secure. None, the default, means: when the request or BASE_URL is https."""
        value: bool | None = self._get("COOKIE_SECURE", None)
        return value

    @property
    def COOKIE_SAMESITE(self) -> Literal["Lax", "Strict", "None"]:
        """SameSite of the cookies; ``Lax`` by default.

        ``None`` (with https) is for portals shown in another site's frame. ``Strict`` loses the session on every
        arrival from the host's own site, so do not use it with redirects.
        """
        value: Literal["Lax", "Strict", "None"] = self._get("COOKIE_SAMESITE", "Lax")
        return value

    @property
    def COOKIE_PARTITIONED(self) -> bool:
        """Whether cookies are Partitioned (CHIPS), for portals in another site's frame. False by default."""
        return bool(self._get("COOKIE_PARTITIONED", False))

    @property
    def ERROR_DOCS_URL(self) -> str:
        """Base of the ``type`` of the contract's errors; the vendor's documentation by default."""
        return str(self._get("ERROR_DOCS_URL", "https://unkey.com/docs/errors")).rstrip("/")

    @property
    def TRUSTED_PROXIES(self) -> int:
        """How many proxies in front of this server append to X-Forwarded-For. 0, the default, ignores that header."""
        return int(self._get("TRUSTED_PROXIES", 0))

    @property
    def AUTO_CONTINUE(self) -> bool:
        """Whether the landing page may continue by itself when the visit came from a page of the host.

        True by default. The page always has a button; see "How a code is spent" in SECURITY.md.
        """
        return bool(self._get("AUTO_CONTINUE", True))

    @property
    def SESSION_CACHE_SECONDS(self) -> float:
        """For how many seconds each process remembers sessions, root keys and API keys that it has looked up.

        0, the default, asks the database at every request, so whatever ends a credential ends it at once. With more, a
        request with a remembered credential asks nothing; what ends it is noticed at once by the process where it happens,
        and by the others within these seconds. Expiry is always to the millisecond. Changes of keys by the pages, and all
        operations on keys, ask the database even then.
        """
        value: float = self._get("SESSION_CACHE_SECONDS", 0)
        return value

    @property
    def THROTTLE_RATES(self) -> dict[str, str | None]:
        """How often, by what is counted; ``{"create_session": "600/min", "failed": "60/min", "page_write": "60/min"}``.

        ``create_session`` counts calls per root key, ``failed`` the exchanges and authentications that failed per client
        address, ``page_write`` the forms and the changes of keys that a session sends. A rate is a number and ``sec``,
        ``min``, ``hour`` or ``day``; None for one of them, or for the setting, counts nothing. What is left out keeps its
        default. The counters are in the cache ``default``, which the processes must share for a limit to hold over all of
        them.
        """
        given: dict[str, str | None] | None = self._get("THROTTLE_RATES", {})
        if given is None:
            return dict.fromkeys(DEFAULT_RATES)
        return {**DEFAULT_RATES, **given}

    @property
    def KEY_STORE(self) -> dict[str, Any] | None:
        """Who keeps the API keys: ``{"BACKEND": "dotted.path.of.a.KeyStore", "OPTIONS": {…}}``.

        OPTIONS are the arguments that the class is made with. None, the default, means the app ``portal.contrib.keys`` if
        it is installed; without it there are no keys, and the pages for them are absent.
        """
        value: dict[str, Any] | None = self._get("KEY_STORE", None)
        return value

    @property
    def REROLL_GRACE(self) -> timedelta:
        """How long an old secret keeps working after a rotation that does not say; 24 hours by default.

        A portal that does not allow this much uses the nearest grace period that it allows.
        """
        value: timedelta = self._get("REROLL_GRACE", timedelta(hours=24))
        return value

    @property
    def PURGE_AFTER(self) -> timedelta:
        """How long ended sessions and revoked keys are kept before ``portal_purge`` deletes them. 30 days by default."""
        value: timedelta = self._get("PURGE_AFTER", timedelta(days=30))
        return value

    @property
    def EVENT_RETENTION(self) -> timedelta:
        """How long events are kept before ``portal_purge`` deletes them. 365 days by default."""
        value: timedelta = self._get("EVENT_RETENTION", timedelta(days=365))
        return value

    @property
    def USAGE_RETENTION(self) -> timedelta:
        """How far back the use of keys can be seen, and how long its counts are kept. 90 days by default.

        A part of a day counts as a whole one: days, of UTC, are seen and deleted whole.
        """
        value: timedelta = self._get("USAGE_RETENTION", timedelta(days=90))
        return value


portal_settings = PortalSettings()
