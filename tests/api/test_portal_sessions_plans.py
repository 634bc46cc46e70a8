"""listSessions over a table in which most sessions are over: judged by the plans of its statements, never by the time.

In short with 20,000 sessions, and in long (``make races``) with a million.
"""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.models import PortalSession
from tests.admin.test_large_tables import HASH, MOMENT, PLUS, SERIES, insert, plan_nodes
from tests.envelopes import assert_answer
from tests.factories import PortalConfigFactory, issue_root_key

TABLE = "portal_portalsession"
#: One in so many is live: sessions last a day and are kept for thirty.
DAYS = 30


def fill(rows: int, busy: int, rare: int) -> None:
    """Fill the table: one in a hundred sessions is the rare portal's, and a user has several."""
    vendor, seconds = connection.vendor, DAYS * 86400 / rows
    moment = MOMENT[vendor].format(rows=rows, seconds=seconds)
    day_later = PLUS[vendor].format(moment=moment, hours=24)
    values = {
        "public_id": "'ps_' || i",
        "config_id": f"CASE WHEN i % 100 = 0 THEN {rare} ELSE {busy} END",
        "external_id": "'user_' || (i % 5003)",
        "code_hash": HASH[vendor].format(salt="c"),
        "token_hash": f"CASE WHEN i % 4 = 0 THEN NULL ELSE {HASH[vendor].format(salt='t')} END",
        "code_expires_at": day_later,
        "expires_at": f"CASE WHEN i % 4 = 0 THEN NULL ELSE {day_later} END",
        "exchanged_at": f"CASE WHEN i % 4 = 0 THEN NULL ELSE {moment} END",
        "created_at": moment,
        "permissions": "'[]'",
        "metadata": "'{}'",
        "preview": "false",
        "ttl": {"postgresql": "interval '1 day'", "sqlite": "86400000000"}[vendor],
        **dict.fromkeys(("keyspace_id", "display_name", "return_url", "next", "locale"), "''"),
        "capabilities": "'keys:read'",
    }
    insert(TABLE, values, SERIES[vendor].format(rows=rows))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def rows_read(sql: str) -> int:
    """Return how many rows of the table PostgreSQL reads to answer."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) {sql}")
        answer = cursor.fetchone()[0]
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0))
        * node["Actual Loops"]
        for node in plan_nodes(plan)
        if node.get("Relation Name") == TABLE
    )


def steps(sql: str) -> list[str]:
    """Return how SQLite finds its rows of the table."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall() if TABLE in row[3]]


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_page_reads_what_is_live_and_not_what_is_over(api, rows):
    busy, rare, empty = (PortalConfigFactory() for _ in range(3))
    fill(rows, busy.pk, rare.pk)
    live = PortalSession.objects.live().count()
    assert rows // 40 < live < rows // 20
    secret = issue_root_key().secret
    bodies = [{}, {"limit": 1}, {"search": "user_1"}, {"search": "user_4321"}, {"search": "nobody"}]
    first = assert_answer(api("listSessions", {"portal": busy.slug, "limit": 50}, token=secret))
    bodies.append({"cursor": first["pagination"]["cursor"]})
    found = 0
    for portal in (busy, rare, empty):
        for body in bodies:
            with CaptureQueriesContext(connection) as queries:
                answer = assert_answer(api("listSessions", {"portal": portal.slug, **body}, token=secret))
            (sql,) = {captured["sql"] for captured in queries if TABLE in captured["sql"]}
            found += len(answer["data"])
            if connection.vendor == "postgresql":
                # A few more, of those that end while this runs.
                assert rows_read(sql) <= live + 10, (portal, body)
            else:
                assert [step.partition(" USING ")[2] for step in steps(sql)] == [
                    "INDEX portal_session_ends (<expr>>?)"
                ], (portal, body)
    assert found > 200
