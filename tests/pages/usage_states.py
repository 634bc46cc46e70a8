"""The states of the usage page, and of the keys' pages where the store counts; registered with all others in states.py."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client

from portal import clock
from portal.keystore.base import Key
from portal.models import PortalConfig
from tests.factories import ALL, sign_in
from tests.pages.shelf import put
from tests.usage_store import BrokenUsageStore, UsageStore, use, use_usage_store

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def believable(config: PortalConfig, key: Key, size: float, *, days: int = 90, turn: int = 0) -> None:
    """Give a key requests with the rhythm of a week, the same whenever it runs."""
    now = clock.now()
    for day in range(days):
        moment = now - day * DAY
        rhythm = 0.45 if moment.weekday() >= 5 else 1.0
        valid = round(size * rhythm * (1.2 + math.sin(day * 1.7 + turn)))
        rejected = {"rate_limited": 9} if day % 7 == turn % 7 else {}
        if day in {11, 12} and turn == 0:
            rejected = {"rate_limited": round(size / (day - 10) / 2), "insufficient_permissions": 12}
        use(config, key.id, moment, valid=valid, **rejected)


#: What is particular about the keys of :func:`counted`, where a list is to have more than one status.
STATUSES: dict[str, dict[str, Any]] = {
    "Production server": {"ends": None},
    "CI runner": {"ends": 3 * DAY},
    "Staging": {"grace": 20 * HOUR},
    "Data export": {"ends": -2 * DAY},
    "Mobile app": {"enabled": False},
}


def counted(
    config: PortalConfig, client: Client, store: type[UsageStore] = UsageStore, **particular: dict[str, Any]
) -> dict[str, Key]:
    """Go in, at a portal whose store counts, with a few keys that were used."""
    use_usage_store(settings, store)
    client.cookies["portal_session"] = sign_in(config, display_name="Ada Wong", granted=ALL).secret
    keys = {}
    for turn, (name, size) in enumerate(
        {"Production server": 960.0, "CI runner": 320, "Staging": 170, "Data export": 60}.items()
    ):
        keys[name] = put(config, name, made=(100 + turn) * DAY, used=turn * HOUR, **particular.get(name, {}))
        believable(config, keys[name], size, turn=turn)
    use(config, keys["Staging"].id, clock.now() - 3 * DAY, valid=0, expired=40, forbidden=20, usage_exceeded=30)
    keys["Mobile app"] = put(config, "Mobile app", made=120 * DAY, **{"ends": None, **particular.get("Mobile app", {})})
    return keys


def shown(config: PortalConfig, client: Client, query: str = "") -> Any:
    return client.get(f"/{config.slug}/usage/{query}")


def usage(config: PortalConfig, client: Client) -> Any:
    counted(config, client)
    return shown(config, client)


def usage_hours(config: PortalConfig, client: Client) -> Any:
    counted(config, client)
    now = clock.now()
    for hour in range(24):
        use(
            config,
            put(config, f"Worker {hour:02}", made=DAY).id if hour < 5 else "key_gone",
            now - hour * HOUR,
            valid=hour,
        )
    return shown(config, client, "?range=24h")


def usage_weeks(config: PortalConfig, client: Client) -> Any:
    counted(config, client)
    return shown(config, client, "?range=90d")


def usage_one_key(config: PortalConfig, client: Client) -> Any:
    return shown(config, client, f"?range=7d&key={counted(config, client)['Staging'].id}")


def usage_empty(config: PortalConfig, client: Client) -> Any:
    use_usage_store(settings)
    client.cookies["portal_session"] = sign_in(config, display_name="Ada Wong", granted=ALL).secret
    put(config, "Production server")
    return shown(config, client)


def usage_unavailable(config: PortalConfig, client: Client) -> Any:
    counted(config, client, BrokenUsageStore)
    return shown(config, client)


def usage_beyond(config: PortalConfig, client: Client) -> Any:
    counted(config, client)
    settings.PORTAL = {**settings.PORTAL, "USAGE_RETENTION": 30 * DAY}
    return shown(config, client, "?range=90d")


def usage_long_names(config: PortalConfig, client: Client) -> Any:
    counted(config, client)
    for name in ("W" * 100, "🔑 😀 👩‍👩‍👧‍👦", "مفتاح الإنتاج"):
        use(config, put(config, name).id, clock.now(), valid=10**9)
    use(config, "key_" + "x" * 250, clock.now(), valid=10**10, rate_limited=1)
    return shown(config, client)


def keys_usage(config: PortalConfig, client: Client) -> Any:
    counted(config, client, **STATUSES)
    return client.get(f"/{config.slug}/keys/")


def keys_usage_unavailable(config: PortalConfig, client: Client) -> Any:
    counted(config, client, BrokenUsageStore)
    return client.get(f"/{config.slug}/keys/")


def keys_usage_many(config: PortalConfig, client: Client) -> Any:
    """A full page, each key used every day and rejected now and then."""
    config.key_limit = None
    config.save()
    counted(config, client)
    for number in range(30):
        key = put(config, f"Worker {number:02}", used=number * HOUR, grace=DAY if number % 5 == 0 else None)
        believable(config, key, 50 + 37 * number, days=30, turn=number)
    return client.get(f"/{config.slug}/keys/")


def key_usage(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{config.slug}/keys/{counted(config, client)['Production server'].id}/")


def key_usage_none(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{config.slug}/keys/{counted(config, client)['Mobile app'].id}/")


def key_usage_unavailable(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{config.slug}/keys/{counted(config, client, BrokenUsageStore)['CI runner'].id}/")


USAGE_STATES = {
    "usage": usage,
    "usage-hours": usage_hours,
    "usage-weeks": usage_weeks,
    "usage-one-key": usage_one_key,
    "usage-empty": usage_empty,
    "usage-unavailable": usage_unavailable,
    "usage-beyond": usage_beyond,
    "usage-long-names": usage_long_names,
    "keys-usage": keys_usage,
    "keys-usage-many": keys_usage_many,
    "keys-usage-unavailable": keys_usage_unavailable,
    "key-usage": key_usage,
    "key-usage-none": key_usage_none,
    "key-usage-unavailable": key_usage_unavailable,
}
