"""For load balancers: is this process alive, and can it serve? Plain JSON, without a secret and off the API's envelope."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import router
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from .deadline import Deadline
from .http import outside_atomic_requests
from .models import PortalConfig

__all__ = ["live", "ready", "urlpatterns"]

logger = logging.getLogger("portal.health")

#: A balancer gives up on a check after a few seconds; a database that hangs must not be what it waits for.
_deadline = Deadline(1.5, at_once=2)


def _public(view: Callable[..., HttpResponse]) -> Any:
    """Return ``view``, open behind a host's LoginRequiredMiddleware: a balancer has no account."""
    checked = outside_atomic_requests(require_safe(view))
    checked.login_required = False
    return checked


def _answer(status: str, code: int = 200) -> HttpResponse:
    response = JsonResponse({"status": status}, status=code, headers={"Cache-Control": "no-store"})
    # A balancer asks every few seconds; during an outage Django would log each answer, and mail it to ADMINS.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@_public
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200 ``{"status": "ok"}`` while the process serves requests at all. It asks nothing else, the database least."""
    return _answer("ok")


@_public
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 ``{"status": "ok"}`` when this process can serve, within two seconds.

    Otherwise 503: ``migrations pending`` while this version's tables are not there yet, ``database unavailable`` when the
    database does not answer; the log says more.
    """
    try:
        pending = _deadline.call(_has_pending_migrations)
    except Exception:
        # Whatever it is, a process that cannot ask its database cannot serve.
        logger.warning("The database did not answer a health check", exc_info=True)
        return _answer("database unavailable", 503)
    return _answer("migrations pending", 503) if pending else _answer("ok")


@cache
def _own_migrations() -> frozenset[str]:
    # Without a connection: what is on disk, wherever MIGRATION_MODULES puts it.
    return frozenset(name for app, name in MigrationLoader(None).disk_migrations if app == "portal")


def _has_pending_migrations() -> bool:
    """Say whether a migration of this app is not applied. One query."""
    applied = MigrationRecorder.Migration.objects.using(router.db_for_write(PortalConfig)).filter(app="portal")
    return not _own_migrations() <= set(applied.values_list("name", flat=True))


urlpatterns = [path("health/live", live, name="health-live"), path("health/ready", ready, name="health-ready")]
