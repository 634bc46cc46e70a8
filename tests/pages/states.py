"""Every state that a person can meet, each as the response that Django gives for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.db import OperationalError, connection
from django.test import Client, override_settings

from portal.keystore.base import RateLimit
from portal.models import PortalConfig
from tests.factories import ALL, PortalConfigFactory, mint
from tests.pages.flow import enter, open_link, press_continue
from tests.pages.key_flow import form_of, send
from tests.pages.shelf import empty_memory_store, put
from tests.pages.usage_states import USAGE_STATES

SLUG = "my-portal"

State = Callable[[PortalConfig, Client], Any]
STATES: dict[str, State] = {**USAGE_STATES}


def state(function: State) -> State:
    STATES[function.__name__.replace("_", "-")] = function
    return function


def new_config(**fields: Any) -> PortalConfig:
    """Return the portal of the tour, with all that an operator can fill in."""
    values = {
        "slug": SLUG,
        "display_name": "Northwind Maps",
        "primary_color": "#2563eb",
        "support_url": "mailto:help@example.com",
        "privacy_url": "https://app.example.com/privacy",
        **fields,
    }
    return PortalConfigFactory(**values)


@pytest.fixture
def look(db: None, settings: Any) -> Callable[..., Any]:
    """Return a function that gives the response of a state, in a portal with the given fields."""
    settings.ROOT_URLCONF = "tests.hosts.refusals"

    def response(name: str, **fields: Any) -> Any:
        PortalConfig.objects.all().delete()
        # Some states have a key store or a retention of their own, and the next has not. Not by the fixture, which keeps
        # a layer for each change: Python can go no deeper than a few hundred looks.
        with override_settings(PORTAL=settings.PORTAL):
            empty_memory_store(live_settings)
            return STATES[name](new_config(**fields), Client())

    return response


def inside(config: PortalConfig, client: Client, **options: Any) -> None:
    options.setdefault("display_name", "Ada Wong")
    enter(client, mint(config, options.pop("external_id", "user_123"), **options).secret)


def refused(client: Client, reason: str) -> Any:
    return client.get(f"/{SLUG}/refusing/", {"reason": reason})


@state
def enter_(config: PortalConfig, client: Client) -> Any:
    return open_link(client, mint(config).secret)


STATES["enter"] = STATES.pop("enter-")


@state
def enter_somebody_else(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return open_link(client, mint(config, "user_456", display_name="Bob Ferreira").secret)


@state
def no_session(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{SLUG}/")


@state
def no_session_host_view(config: PortalConfig, client: Client) -> Any:
    return client.get("/own/plain/")


@state
def dead_link(config: PortalConfig, client: Client) -> Any:
    return open_link(client, "dead")


@state
def cookies_blocked(config: PortalConfig, client: Client) -> Any:
    return press_continue(client, open_link(Client(), mint(config).secret))


@state
def closed(config: PortalConfig, client: Client) -> Any:
    PortalConfig.objects.filter(pk=config.pk).update(enabled=False)
    answer = client.get(f"/{SLUG}/")
    PortalConfig.objects.filter(pk=config.pk).update(enabled=True)
    return answer


@state
def session(config: PortalConfig, client: Client) -> Any:
    inside(config, client, granted=ALL)
    return client.get(f"/{SLUG}/session/")


@state
def session_docs_only(config: PortalConfig, client: Client) -> Any:
    inside(config, client, granted=["a.b.c"], display_name="", external_id="org_8f31c9d2e07b4a6c95")
    return client.get(f"/{SLUG}/session/")


@state
def session_long_names(config: PortalConfig, client: Client) -> Any:
    inside(config, client, external_id="x" * 256, display_name="Wolfeschlegelsteinhausenbergerdorff 😀 " * 6)
    return client.get(f"/{SLUG}/session/")


@state
def preview(config: PortalConfig, client: Client) -> Any:
    inside(config, client, preview=True)
    return client.get(f"/{SLUG}/session/")


@state
def signed_out(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{SLUG}/signed-out/")


@state
def session_ended(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    client.cookies["portal_session"] = "pat_" + "0" * 43
    return client.get(f"/{SLUG}/session/")


@state
def not_saved(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    client.cookies["portal_session"] = "pat_" + "0" * 43
    return client.post(f"/{SLUG}/refusing/")


@state
def form_out_of_date(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return client.post(f"/{SLUG}/session/end/")


@state
def no_capability(config: PortalConfig, client: Client) -> Any:
    inside(config, client, granted=["keys:read"])
    return client.get(f"/{SLUG}/keys/new/")


@state
def not_found(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "not_found")


@state
def not_found_preview(config: PortalConfig, client: Client) -> Any:
    inside(config, client, preview=True)
    return refused(client, "not_found")


@state
def no_page(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{SLUG}/no/such/page/")


@state
def unknown_slug(config: PortalConfig, client: Client) -> Any:
    return client.get("/no-such-portal/")


@state
def method(config: PortalConfig, client: Client) -> Any:
    return client.get(f"/{SLUG}/enter/")


@state
def bad_request(config: PortalConfig, client: Client) -> Any:
    return refused(client, "bad_request")


@state
def conflict(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "conflict")


@state
def too_many(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "too_many")


@state
def error(config: PortalConfig, client: Client) -> Any:
    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "token_hash" in sql:
            raise RuntimeError
        return execute(sql, *rest)

    client.cookies["portal_session"] = "pat_" + "0" * 43
    with connection.execute_wrapper(fail):
        return client.get(f"/{SLUG}/session/")


@state
def unavailable(config: PortalConfig, client: Client) -> Any:
    def fail(*args: Any) -> Any:
        raise OperationalError

    with connection.execute_wrapper(fail):
        return client.get(f"/{SLUG}/session/")


@state
def error_page(config: PortalConfig, client: Client) -> Any:
    return client.get("/errors/unkey/authentication/portal_token_missing")


@state
def error_page_unknown(config: PortalConfig, client: Client) -> Any:
    return client.get("/errors/unkey/authentication/nothing")


def key_pages(config: PortalConfig, client: Client, page: str = "", **values: Any) -> str:
    """Go in, and return the address of a page of a key that the values describe; of the form for a new one without page."""
    config.key_permissions, config.api_url = ["maps.read", "maps.write"], "https://api.example.com/v1"
    config.save()
    inside(config, client, preview=values.pop("preview", False))
    if not page:
        return f"/{SLUG}/keys/new/"
    values = {"name": "Production server", "permissions": ("maps.read",), "used": timedelta(hours=5), **values}
    return f"/{SLUG}/keys/{put(config, **values).id}/{page}/"


@state
def key_create(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client))


@state
def key_create_errors(config: PortalConfig, client: Client) -> Any:
    return send(client, key_pages(config, client), name="", expires="date", date="2020-02-02")


@state
def key_create_limit(config: PortalConfig, client: Client) -> Any:
    config.key_limit = 1
    path = key_pages(config, client)
    form = form_of(client.get(path))
    put(config, "CI runner")
    return send(client, path, form, name="Billing worker")


@state
def key_create_full(config: PortalConfig, client: Client) -> Any:
    config.key_limit = 1
    path = key_pages(config, client)
    put(config, "CI runner")
    return client.get(path)


@state
def key_create_preview(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client, preview=True))


@state
def reveal(config: PortalConfig, client: Client) -> Any:
    return send(client, key_pages(config, client), name="Billing worker", permissions=["maps.read"])


@state
def reveal_rotated(config: PortalConfig, client: Client) -> Any:
    return send(client, key_pages(config, client, "rotate"))


@state
def already_shown(config: PortalConfig, client: Client) -> Any:
    path = key_pages(config, client)
    form = {**form_of(client.get(path)), "name": "Billing worker"}
    assert client.post(path, form).status_code == 200
    return client.post(path, form)


@state
def key_edit(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client, "edit"))


@state
def key_edit_conflict(config: PortalConfig, client: Client) -> Any:
    path = key_pages(config, client, "edit")
    form = form_of(client.get(path))
    assert send(client, path, name="Maps, production").status_code == 303
    return client.post(path, {**form, "name": "Production 2"})


@state
def key_rotate(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client, "rotate", grace=timedelta(hours=3)))


@state
def key_rotate_used(config: PortalConfig, client: Client) -> Any:
    return send(client, key_pages(config, client, "rotate", used=timedelta(minutes=7)), grace="0")


@state
def key_rotate_not_active(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client, "rotate", ends=timedelta(days=-3)))


@state
def key_revoke(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client, "revoke", used=timedelta(minutes=7)))


@state
def key_revoke_error(config: PortalConfig, client: Client) -> Any:
    return send(client, key_pages(config, client, "revoke"))


@state
def key_locked(config: PortalConfig, client: Client) -> Any:
    return client.get(key_pages(config, client, "edit", locked=True))


@state
def changes_off(config: PortalConfig, client: Client) -> Any:
    return send(client, key_pages(config, client, preview=True), name="Billing worker")


@state
def not_allowed(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "not_allowed")


def some_keys(config: PortalConfig) -> None:
    """Put a key in each status onto the shelf."""
    day, hour, minute = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
    put(config, "Hackathon", ends=-22 * day, made=112 * day, used=30 * day)
    put(config, "Legacy importer", locked=True, made=100 * day, used=50 * day)
    put(config, "Mobile app", ends=None, enabled=False, made=90 * day)
    put(config, "Data export", made=60 * day, used=40 * minute, grace=9 * hour, old_in_use=True)
    put(config, "Staging", ends=108 * day, made=50 * day, used=20 * hour, grace=20 * hour)
    put(config, "CI runner", ends=3 * day, made=40 * day, used=hour)
    put(config, "Production server", ends=None, made=30 * day, used=2 * minute)


def listed(config: PortalConfig, client: Client, query: str = "", **options: Any) -> Any:
    inside(config, client, granted=options.pop("granted", ALL), **options)
    return client.get(f"/{SLUG}/keys/{query}")


@state
def keys(config: PortalConfig, client: Client) -> Any:
    some_keys(config)
    return listed(config, client)


@state
def keys_empty(config: PortalConfig, client: Client) -> Any:
    return listed(config, client)


@state
def keys_empty_read_only(config: PortalConfig, client: Client) -> Any:
    return listed(config, client, granted=["keys:read"])


@state
def keys_no_match(config: PortalConfig, client: Client) -> Any:
    some_keys(config)
    return listed(config, client, "?q=billing&status=active")


@state
def keys_limit(config: PortalConfig, client: Client) -> Any:
    config.key_limit = 7
    config.save()
    some_keys(config)
    return listed(config, client, "?sort=-name")


@state
def keys_read_only(config: PortalConfig, client: Client) -> Any:
    some_keys(config)
    return listed(config, client, granted=["keys:read"])


@state
def keys_preview(config: PortalConfig, client: Client) -> Any:
    some_keys(config)
    return listed(config, client, preview=True)


@state
def keys_many(config: PortalConfig, client: Client) -> Any:
    config.key_limit = None
    config.save()
    for number in range(60):
        put(config, f"Worker {number:02}", ends=timedelta(days=number + 1), used=timedelta(hours=number))
    inside(config, client)
    first = client.get(f"/{SLUG}/keys/?sort=name").content.decode()
    return client.get(unescape(re.search(r'href="([^"]+)" rel="next"', first)[1]))  # type: ignore[index]


@state
def keys_long_names(config: PortalConfig, client: Client) -> Any:
    day = timedelta(days=1)
    for name in (
        "W" * 100,
        "Wolfeschlegelsteinhausenbergerdorff " * 2,
        "x",
        "🔑 😀 👩‍👩‍👧‍👦",
        "مفتاح الإنتاج",
        "a\u202eb\u2066c",
    ):
        put(config, name.strip(), ends=2 * day, grace=day, old_in_use=True)
    return listed(config, client)


@state
def keys_unavailable(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "keys_unavailable")


@state
def keys_failed(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "keys_failed")


def one_key(config: PortalConfig, client: Client, name: str = "Production server", **options: Any) -> Any:
    config.key_permissions = ["maps.read", "maps.write"]
    config.save()
    key = put(config, name, **options)
    inside(config, client)
    return client.get(f"/{SLUG}/keys/{key.id}/")


@state
def key(config: PortalConfig, client: Client) -> Any:
    day = timedelta(days=1)
    limit = RateLimit(100, timedelta(minutes=1))
    return one_key(
        config,
        client,
        made=40 * day,
        used=2 * day,
        grace=day,
        permissions=("maps.read", "maps.write"),
        rate_limit=limit,
    )


@state
def key_unused(config: PortalConfig, client: Client) -> Any:
    return one_key(
        config, client, "Hackathon", made=timedelta(days=90), used=timedelta(days=41), ends=timedelta(days=3)
    )


@state
def key_locked_look(config: PortalConfig, client: Client) -> Any:
    return one_key(config, client, "Legacy importer", locked=True, made=timedelta(days=90), used=timedelta(days=2))


@state
def key_long_name(config: PortalConfig, client: Client) -> Any:
    return one_key(config, client, "W" * 100, enabled=False)


@state
def key_end_old(config: PortalConfig, client: Client) -> Any:
    made = put(config, "Data export", grace=timedelta(hours=9), old_in_use=True)
    listing = listed(config, client).content.decode()
    token = re.search(r'/end-old/">\s*<input type="hidden" name="form_token" value="(\w+)"', listing)
    return client.post(f"/{SLUG}/keys/{made.id}/end-old/", {"form_token": token[1]})  # type: ignore[index]


@state
def key_old_ended(config: PortalConfig, client: Client) -> Any:
    made = put(config, "Staging", grace=timedelta(hours=9))
    listing = listed(config, client).content.decode()
    token = re.search(r'/end-old/">\s*<input type="hidden" name="form_token" value="(\w+)"', listing)
    return client.post(f"/{SLUG}/keys/{made.id}/end-old/", {"form_token": token[1]}, follow=True)  # type: ignore[index]
