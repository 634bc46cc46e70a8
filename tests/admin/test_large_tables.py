"""Every admin page over large tables: judged by the plans of the statements that it really runs, never by the time.

In short with 20,000 rows a table, and in long (``make races``) with a million.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import clock
from portal.admin import paging
from portal.contrib.keys.models import ApiKey
from portal.models import PortalEvent, PortalSession
from tests.factories import PortalConfigFactory, issue_root_key

from .rows import EVENTS, KEYS, ROOT_KEYS, SESSIONS

TABLES = ("portal_portalsession", "portal_portalevent", "portal_keys_apikey", "portal_keys_keysecret")
#: What one statement may read of a large table: a step, or what is left of a date, or a page.
ROWS = paging.STEP + 1000
DAYS = 30
#: So many of the oldest rows belong to a portal and a root key that nobody has used since.
OLD = 200

SERIES = {
    "postgresql": "SELECT i FROM generate_series(1, {rows}) i",
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows}) SELECT i FROM s",
}
HASH = {"postgresql": "sha256((i || '{salt}')::bytea)", "sqlite": "CAST(printf('{salt}%032d', i) AS BLOB)"}
#: The moment of row i: evenly over the days, the last one now.
MOMENT = {
    "postgresql": "now() - ({rows} - i) * interval '{seconds} second'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (({rows} - i) * {seconds}) || ' seconds')",
}
PLUS = {
    "postgresql": "{moment} + interval '{hours} hours'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', {moment}, '+{hours} hours')",
}


def fill(rows: int, configs: list, keys: list) -> None:
    """Fill the tables: one busy user, portal and key, others that are rare, and some that are only in the oldest rows."""
    vendor = connection.vendor
    seconds = DAYS * 86400 / rows
    series = SERIES[vendor].format(rows=rows)
    moment = MOMENT[vendor].format(rows=rows, seconds=seconds)
    day_later = PLUS[vendor].format(moment=moment, hours=24)
    user = "CASE WHEN i % 10 = 0 THEN 'busy' ELSE 'user_' || (i % 5000) END"
    values = {
        "public_id": "'ps_' || i",
        "config_id": (
            f"CASE WHEN i <= {OLD} THEN {configs[1].pk} WHEN i % 997 = 0 THEN {configs[2].pk} ELSE {configs[0].pk} END"
        ),
        "minted_by_id": f"CASE WHEN i <= {OLD} THEN {keys[1].pk} WHEN i % 3 = 0 THEN NULL ELSE {keys[0].pk} END",
        "external_id": user,
        "code_hash": HASH[vendor].format(salt="c"),
        "token_hash": f"CASE WHEN i % 4 = 0 THEN NULL ELSE {HASH[vendor].format(salt='t')} END",
        "code_expires_at": day_later,
        "expires_at": f"CASE WHEN i % 4 = 0 THEN NULL ELSE {day_later} END",
        "exchanged_at": f"CASE WHEN i % 4 = 0 THEN NULL ELSE {moment} END",
        "revoked_at": f"CASE WHEN i <= 3 THEN {moment} END",
        "created_at": moment,
        "permissions": "'[]'",
        "metadata": "'{}'",
        "preview": "false",
        "ttl": "interval '1 day'" if vendor == "postgresql" else "86400000000",
        **dict.fromkeys(("keyspace_id", "display_name", "capabilities", "return_url", "next", "locale"), "''"),
    }
    insert("portal_portalsession", values, series)
    values = {
        "kind": "CASE WHEN i <= 3 THEN 'portal.deleted' WHEN i % 2 = 0 THEN 'session.created' ELSE 'session.exchanged' END",
        "actor_kind": f"CASE WHEN i <= {OLD} THEN 'operator' ELSE 'root_key' END",
        "portal_id": f"CASE WHEN i <= {OLD} THEN '{configs[1].public_id}' ELSE '{configs[0].public_id}' END",
        "session_id": "'ps_' || i",
        "external_id": user,
        "detail": "'{}'",
        "created_at": moment,
        "actor_id": "''",
    }
    insert("portal_portalevent", values, series)
    fill_keys(user, moment, day_later, series)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def fill_keys(user: str, moment: str, day_later: str, series: str) -> None:
    """Fill the tables of keys: a busy keyspace, a rare one and one that is only in the oldest rows; few are not active."""
    values = {
        "id": "i",
        "public_id": "'key_' || i",
        "keyspace_id": f"CASE WHEN i <= {OLD} THEN 'ks_old' WHEN i % 997 = 0 THEN 'ks_rare' ELSE 'ks_1' END",
        "external_id": user,
        "name": "'Key ' || i",
        "start": "'sk_' || (i % 9973)",
        "enabled": "i > 3",
        "locked": "i = 4",
        "imported": "i % 3 = 0",
        "expires_at": f"CASE WHEN i % 2 = 0 THEN {day_later} END",
        "revoked_at": f"CASE WHEN i % 500 = 0 THEN {moment} END",
        "created_at": moment,
        "permissions": "'[]'",
        "metadata": "'{}'",
        "rate_limit_seconds": "60",
        "revision": "1",
    }
    insert("portal_keys_apikey", values, series)
    values = {
        "key_id": "i",
        "secret_hash": HASH[connection.vendor].format(salt="k"),
        "start": "'sk_' || (i % 9973)",
        "created_at": moment,
    }
    insert("portal_keys_keysecret", values, series)


def insert(table: str, values: dict[str, str], series: str) -> None:
    casts = (
        {"permissions": "jsonb", "metadata": "jsonb", "detail": "jsonb"} if connection.vendor == "postgresql" else {}
    )
    columns = [f"{value}::{casts[name]}" if name in casts else value for name, value in values.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(columns)} FROM ({series}) n ORDER BY i"
        )


def plan_nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from plan_nodes(child)


def complaint(sql: str) -> str:
    """Return what is wrong with how the database answers this statement; empty when nothing is."""
    if not any(table in sql for table in TABLES) or sql.split(None, 1)[0] not in {"SELECT", "UPDATE"}:
        return ""
    if re.search(r"\bcount\(", sql, re.IGNORECASE) and "LIMIT" not in sql:
        return "counts"
    return {"postgresql": postgres_complaint, "sqlite": sqlite_complaint}[connection.vendor](sql)


def postgres_complaint(sql: str) -> str:
    # Rows read, which no clock has a say in. An UPDATE is only planned, because to measure it is to do it again.
    options = "ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON" if sql.startswith("SELECT") else "FORMAT JSON"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {sql}")
        answer = cursor.fetchone()[0]
    for node in plan_nodes((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]):
        if node.get("Relation Name") not in TABLES:
            continue
        if node["Node Type"] == "Seq Scan":
            return "Seq Scan"
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        read = (node.get("Actual Rows", 0) + removed) * node.get("Actual Loops", 1)
        if read > ROWS:
            return f"reads {read} rows by {node['Node Type']}"
    return ""


def sqlite_complaint(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        steps = [row[3] for row in cursor.fetchall()]
    scans = any(step.startswith("SCAN") and any(table in step for table in TABLES) for step in steps)
    # From one end of the table is well, if nothing is passed over and nothing sorted before the limit.
    from_one_end = "LIMIT" in sql and "WHERE" not in sql and not any("TEMP B-TREE" in step for step in steps)
    return "; ".join(steps) if scans and not from_one_end else ""


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_no_page_walks_through_a_table(operator, rows):
    configs = [PortalConfigFactory() for _ in range(20)]
    keys = [issue_root_key(name).row for name in ("busy", "old", "unused")]
    fill(rows, configs, keys)
    newest, oldest = PortalSession.objects.first(), PortalSession.objects.last()
    event = PortalEvent.objects.first()
    old_day = timezone.localtime(clock.now() - timedelta(days=DAYS - 2)).date()
    dates = [{"from": old_day, "to": old_day}, {"to": old_day}, {"from": old_day}]
    middle = {"p": newest.pk - rows // 2}
    public = {"portal": [config.public_id for config in configs[:4]], "root_key": [key.public_id for key in keys]}
    session_filters = [
        *({"state": state} for state in PortalSession.State.values),
        *({"portal": value} for value in public["portal"]),
        *({"root_key": value} for value in public["root_key"]),
    ]
    event_filters = [
        *({"kind": kind} for kind in ("portal.deleted", "session.created", "root_key.rotated")),
        *({"actor": kind} for kind in ("operator", "root_key", "end_user")),
        *({"portal": value} for value in public["portal"]),
    ]
    searches = [
        {"q": "user_7"},
        {"q": "nobody"},
        {"q": "ps_0123456789012345678901"},
        {"q": "user_7", "state": "active"},
    ]
    key_filters = [
        *({"state": state} for state in ApiKey.State.values),
        *({"keyspace": value} for value in ("ks_1", "ks_rare", "ks_old", "ks_unknown")),
    ]
    pages = {
        KEYS: [
            *({}, middle, *key_filters),
            *(
                {"q": term}
                for term in ("user_7", "busy", "nobody", "sk_77", "sk_nothing", "key_0123456789012345678901")
            ),
            *({"q": "user_7", "state": state} for state in ("locked", "active")),
        ],
        SESSIONS: [{}, middle, *dates, *session_filters, *searches],
        EVENTS: [{}, middle, *dates, *event_filters, *searches[:3], {"q": "prt_0123456789012345678901"}],
    }
    for path, filters in ((SESSIONS, session_filters), (EVENTS, event_filters), (KEYS, key_filters)):
        pages[path] += [
            {**one, **other} for one, other in itertools.combinations(filters, 2) if one.keys() != other.keys()
        ]
        others = (middle,) if path == KEYS else (dates[0], middle)
        pages[path] += [{**one, **other} for one in filters for other in others]
    requests = [("GET", path, query) for path, queries in pages.items() for query in queries]
    requests += [
        ("GET", f"{SESSIONS}{oldest.pk}/change/", {}),
        ("GET", f"{SESSIONS}{oldest.pk}/end/", {}),
        ("POST", f"{SESSIONS}{newest.pk}/end/", {}),
        ("POST", SESSIONS, {"action": "end_selected", "_selected_action": [newest.pk - 1, oldest.pk]}),
        (
            "POST",
            SESSIONS,
            {"action": "end_selected", "confirmed": "yes", "_selected_action": [newest.pk - 1, oldest.pk]},
        ),
        ("GET", f"{EVENTS}{event.pk}/change/", {}),
        *(("GET", f"{EVENTS}export/", query) for query in pages[EVENTS][:12]),
        *(("GET", f"{KEYS}{rows - 1}/{page}/", {}) for page in ("change", "lock", "rotate", "revoke")),
        ("POST", f"{KEYS}{rows - 1}/lock/", {}),
        ("POST", f"{KEYS}{rows - 1}/rotate/", {"grace": 3600, "revision": 2}),
        ("POST", f"{KEYS}{rows - 1}/revoke/", {}),
        ("GET", f"{KEYS}add/", {}),
        ("GET", ROOT_KEYS, {}),
        *(("GET", f"{ROOT_KEYS}{keys[0].pk}/{page}/", {}) for page in ("change", "rotate", "disable", "end-sessions")),
        ("GET", "/admin/", {}),
        ("GET", "/admin/portal/", {}),
    ]
    complaints = []
    seen = set()
    for method, path, query in requests:
        with CaptureQueriesContext(connection) as queries:
            answer = operator.get(path, query) if method == "GET" else operator.post(path, query)
            if answer.streaming:
                list(itertools.islice(answer.streaming_content, 4))
        assert answer.status_code in {200, 302}, (path, query)
        for sql in {captured["sql"] for captured in queries} - seen:
            seen.add(sql)
            if problem := complaint(sql):
                complaints.append(f"{method} {path} {query}: {problem}\n    {sql}")
        steps = sum(any(table in captured["sql"] for table in TABLES) for captured in queries)
        if steps > paging.STEPS * 4 + 60:
            complaints.append(f"{method} {path} {query}: {steps} statements")
    assert "\n".join(complaints) == ""
    assert any(table in sql for sql in seen for table in TABLES)
