"""Looking a session up in a small table and in a large one: tokens of 300 users who come again and again."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rest_framework_api_key.models import APIKey

from portal.authenticate import authenticate_session

from .databases import Router
from .made import a_session
from .measure import compare
from .plan import Plan
from .series import copy_rows, from_text, number, settle
from .sessions import fill

__all__ = ["measure"]

HOT = 300
CALLS = 75
EXPLAINED = 50


class Table:
    """A database with so many sessions, and as many keys of the fastest peer that asks its database."""

    def __init__(self, size: int) -> None:
        self.using = Router.using = f"rows_{size}"
        call_command("migrate", database=self.using, run_syncdb=True, verbosity=0)
        self.tokens = [a_session(f"hot_{n}") for n in range(HOT)]
        fill(size - HOT, "cold")
        key, secret = APIKey.objects.create_key(name="hot")
        prefix = from_text("c", number)
        copy_rows(key, size - HOT, id=prefix, prefix=lambda vendor: f"substr({prefix(vendor)}, 1, 8)", name=prefix)
        self.keys = [APIKey.objects.create_key(name="hot")[1] for _ in range(HOT - 1)] + [secret]
        settle()
        self._token, self._key = cycle(self.tokens).__next__, cycle(self.keys).__next__

    def look_up(self) -> None:
        """Look the next session up."""
        Router.using = self.using
        assert authenticate_session(self._token())

    def look_up_key(self) -> None:
        """Let the peer look its next key up."""
        Router.using = self.using
        assert APIKey.objects.is_valid(self._key())

    def pages(self) -> float:
        """Return how many pages of 8 KiB PostgreSQL touches for a look-up, on average."""
        touched = []
        for _ in range(EXPLAINED):
            with CaptureQueriesContext(connections[self.using]) as sent:
                self.look_up()
            with connections[self.using].cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sent[0]['sql']}")
                plan = cursor.fetchone()[0][0]["Plan"]
            touched.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        return sum(touched) / len(touched)


def measure(plan: Plan, kind: str) -> dict[str, Any]:
    """Return a row for each size beside the smallest."""
    tables = {size: Table(size) for size in plan.sizes}
    first = tables[plan.sizes[0]]
    found: dict[str, Any] = {}
    for size, table in tables.items():
        row = compare(first.look_up, table.look_up, rounds=plan.rounds, calls=CALLS)
        found[f"sessions: {size:,}"] = row | ({"pages": table.pages()} if kind == "postgres" else {})
        found[f"api-key: {size:,}"] = compare(first.look_up_key, table.look_up_key, rounds=plan.rounds, calls=CALLS)
    return found
