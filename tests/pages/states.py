"""Every state that a person can meet, each as the response that Django gives for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from portal.models import PortalConfig
from tests.factories import ALL, PortalConfigFactory, mint
from tests.pages.flow import enter, open_link, press_continue

SLUG = "my-portal"

State = Callable[[PortalConfig, Client], Any]
STATES: dict[str, State] = {}


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
    inside(config, client)
    return refused(client, "no_capability")


@state
def not_found(config: PortalConfig, client: Client) -> Any:
    inside(config, client)
    return refused(client, "not_found")


@state
def not_found_preview(config: PortalConfig, client: Client) -> Any:
    inside(config, client, preview=True)
    return refused(client, "not_found")


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
