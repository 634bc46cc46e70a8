"""The demo in production form under load: what connections, workers, threads and the cache of credentials are worth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import connections

from .client import Sent
from .load import NO_WRK, has_wrk, load
from .made import SLUG, a_portal, a_root_key, a_session, an_api_key
from .pages import PAGE_SIZE, owner_of
from .plan import Plan
from .processes import ROOT, Server, running

__all__ = ["measure"]

WARM_SECONDS = 1


@dataclass(frozen=True)
class Deployment:
    """A way to deploy; as shipped where nothing else is said.

    :param database: keys of DATABASES["default"], in place of the shipped ones.
    :param portal: the same of PORTAL.
    """

    name: str
    workers: int = 2
    threads: int = 4
    database: Mapping[str, Any] = field(default_factory=dict)
    portal: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def serving(self, static: str, sent: Sent) -> Iterator[Server]:
        """Serve it until the block ends.

        :param static: the folder of collected static files.
        """
        arguments = ["--workers", str(self.workers), "--threads", str(self.threads), "config.wsgi"]
        with running(arguments, self.environment(static), sent) as server:
            yield server

    def environment(self, static: str) -> dict[str, str]:
        """Return the environment of its processes."""
        changes = {"database": self.database, "portal": self.portal, "static": static}
        return {
            "DJANGO_SETTINGS_MODULE": "bench.deployed",
            "BENCH_DEPLOYED": json.dumps(changes),
            "DATABASE_URL": _database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "PORTAL_BASE_URL": "https://portal.example.com",
            "DEBUG": "off",
        }


SHIPPED = Deployment("as shipped: 2 workers × 4 threads")
CACHED = replace(SHIPPED, name="SESSION_CACHE_SECONDS 5", portal={"SESSION_CACHE_SECONDS": 5})
#: A drift of the machine shows in it.
AGAIN = replace(SHIPPED, name="as shipped, once more")
DEPLOYMENTS = {
    "postgres": (
        SHIPPED,
        replace(SHIPPED, name="CONN_MAX_AGE 0", database={"CONN_MAX_AGE": 0}),
        replace(SHIPPED, name="psycopg's pool", database={"CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}),
        replace(SHIPPED, name="CONN_HEALTH_CHECKS off", database={"CONN_HEALTH_CHECKS": False}),
        replace(
            SHIPPED,
            name="server_side_binding, prepare_threshold 1",
            database={"OPTIONS": {"server_side_binding": True, "prepare_threshold": 1}},
        ),
        CACHED,
        replace(SHIPPED, name="1 worker × 1 thread", workers=1, threads=1),
        replace(SHIPPED, name="1 worker × 4 threads", workers=1),
        replace(SHIPPED, name="2 workers × 1 thread", threads=1),
        replace(SHIPPED, name="4 workers × 1 thread", workers=4, threads=1),
        AGAIN,
    ),
    "sqlite": (
        SHIPPED,
        replace(
            SHIPPED,
            name="without WAL",
            database={
                "OPTIONS": {
                    "init_command": "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL;",
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 8,
                }
            },
        ),
        CACHED,
        replace(SHIPPED, name="1 worker × 4 threads", workers=1),
    ),
}


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each way to deploy: requests a second and the 99th percentile of each kind of request."""
    if not plan.deployed_seconds:
        return {"skipped": "not in the short form"}
    if not has_wrk():
        return {"skipped": NO_WRK}
    requests = _requests()
    # A change of SQLite's journal needs the file for itself.
    connections.close_all()
    with tempfile.TemporaryDirectory(prefix="bench-") as static:
        _collect(static)
        return {
            deployment.name: _row(deployment, static, requests, plan.deployed_seconds)
            for deployment in DEPLOYMENTS[kind]
        }


def _row(deployment: Deployment, static: str, requests: Mapping[str, Sent], seconds: int) -> dict[str, Any]:
    row, refused = {}, 0.0
    with deployment.serving(static, requests["getSession"]) as server:
        for name, sent in requests.items():
            # Connections that stay open are often all one worker's: then the row is of that worker alone.
            asked = replace(server, sent=replace(sent, headers={**sent.headers, "Connection": "close"}))
            load(asked, WARM_SECONDS)
            found = load(asked, seconds)
            row[f"{name} req/s"], row[f"{name} p99 ms"] = found["req_s"], found["p99_ms"]
            refused += found["refused"]
    return {**row, "refused": int(refused)}


def _requests() -> dict[str, Sent]:
    """Return what is asked, and make what it needs."""
    portal, root_key = a_portal(), {"Authorization": f"Bearer {a_root_key()}"}
    return {
        "getSession": Sent(
            "/v2/portal.getSession", {"Authorization": f"Bearer {a_session('user_1', portal)}"}, _body()
        ),
        "verifyKey": Sent("/v2/keys.verifyKey", root_key, _body(key=an_api_key())),
        "createSession": Sent(
            "/v2/portal.createSession", root_key, _body(slug=SLUG, externalId="user_1", permissions=["keys:read"])
        ),
        "keys page": owner_of(PAGE_SIZE).sent,
    }


def _body(**members: Any) -> Callable[[], bytes]:
    return lambda: json.dumps(members).encode()


def _database_url() -> str:
    default = settings.DATABASES["default"]
    if "sqlite" in default["ENGINE"]:
        return f"sqlite:///{default['NAME']}"
    return f"postgres://{default['USER']}@/{default['HOST']}/{default['NAME']}"


def _collect(static: str) -> None:
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
    environment = {**os.environ, **SHIPPED.environment(static)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
