"""What is to be reached: a line each of the table that ``make bench`` prints."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GOALS", "Goal", "Measure"]

_REVOCABLE = ("DRF token", "knox", "api-key", "JWT", "Django session", "oauth-toolkit", "sesame")
_LOGINS = ("knox login", "JWT refresh", "oauth-toolkit code", "sesame login")
_CACHED = ("session, cached", "session, cookie, cached", "root key, cached", "API key, cached")
_DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


@dataclass(frozen=True)
class Measure:
    """A bound on a figure, ``part/database/row/column``.

    :param rows: names of rows, of which the worst counts. A name that ends in ``*`` is the last row that begins so.
    :param at_least: whether the figure must not be below ``bound``; otherwise it must not be above.
    """

    part: str
    rows: tuple[str, ...]
    column: str
    bound: float
    unit: str = "×"
    at_least: bool = False


@dataclass(frozen=True)
class Goal:
    """A line.

    :param peers: rows of the first measure's part that it is compared with.
    :param limit: what a reference design reached that does nothing but look the token up, on another day.
    """

    what: str
    measures: tuple[Measure, ...]
    peers: tuple[str, ...] = ()
    limit: str = "–"


def _requests() -> list[Goal]:
    sqlite, postgres = "in_process/sqlite", "in_process/postgres"
    goals = [
        Goal(
            f"request authenticated with SESSION_CACHE_SECONDS > 0, {name}",
            (
                Measure(f"in_process/{kind}", _CACHED, "wall", 1.12),
                Measure(f"in_process/{kind}", _CACHED, "queries", 0, "queries"),
                Measure(f"in_process/{kind}", _CACHED, "writes", 0, "writes"),
            ),
            ("JWT, stateless", *_REVOCABLE),
            "1.07×",
        )
        for kind, name in _DATABASES.items()
    ]
    for name, rows in (
        ("session", ("session", "session, cookie")),
        ("root key", ("root key",)),
        ("API key", ("API key",)),
    ):
        one_query = [Measure(part, rows, "queries", 1, "queries") for part in (sqlite, postgres)]
        no_writes = [Measure(part, rows, "writes", 0, "writes") for part in (sqlite, postgres)]
        goals += [
            Goal(
                f"request authenticated by {name}, SQLite",
                (Measure(sqlite, rows, "wall", 1.45), one_query[0], no_writes[0]),
                _REVOCABLE,
                "1.30×",
            ),
            Goal(
                f"request authenticated by {name}, PostgreSQL",
                (
                    Measure(postgres, rows, "wall", 4.0),
                    Measure(postgres, rows, "cpu", 2.9, "× CPU"),
                    one_query[1],
                    no_writes[1],
                ),
                _REVOCABLE,
                "3.0×, 2.5× CPU",
            ),
        ]
    return goals + [
        Goal(
            f"request by API key with its use counted beside uncounted, {name}",
            (Measure(f"in_process/{kind}", ("API key, counted",), "wall", 1.05),),
            limit="1.0×",
        )
        for kind, name in _DATABASES.items()
    ]


def _elsewhere() -> list[Goal]:
    counted, wire, sessions = "instructions/sqlite", "wire/postgres", ("session", "session, cookie")
    return [
        Goal(
            "instructions, SESSION_CACHE_SECONDS > 0",
            (Measure(counted, _CACHED, "ratio", 1.15),),
            ("JWT, stateless", *_REVOCABLE),
            "1.07×",
        ),
        Goal("instructions, by session", (Measure(counted, sessions, "ratio", 1.40),), _REVOCABLE, "1.26×"),
        Goal(
            "requests/s over the wire, by session with SESSION_CACHE_SECONDS > 0",
            (Measure(wire, _CACHED[:2], "rate", 0.90, at_least=True),),
            ("JWT, stateless", *_REVOCABLE),
            "0.94×",
        ),
        Goal(
            "requests/s over the wire, by session",
            (Measure(wire, sessions, "rate", 0.40, at_least=True), Measure(wire, sessions, "cpu", 2.1, "× CPU")),
            _REVOCABLE,
            "0.42×, 1.94× CPU",
        ),
    ]


def _per_database() -> list[Goal]:
    goals = []
    for kind, mint, exchange, stall in (("sqlite", 1.5, 1.25, 150), ("postgres", 1.7, 1.5, 10)):
        name, endpoints, pages = _DATABASES[kind], f"endpoints/{kind}", f"pages/{kind}"
        purge = (f"purge/{kind}", ("portal_purge",))
        table = [Measure(f"table_size/{kind}", ("sessions: *",), "wall", 1.2)]
        deleting = [Measure(*purge, "longest_ms", stall, "ms")]
        if kind == "postgres":
            table.append(Measure(f"table_size/{kind}", ("sessions: *",), "pages", 8, "pages"))
            deleting.append(Measure(*purge, "rows_per_s", 100_000, "rows/s", at_least=True))
        goals += [
            Goal(
                f"createSession with its event, {name}",
                (Measure(endpoints, ("createSession",), "wall", mint),),
                _LOGINS,
                "1.0×",
            ),
            Goal(
                f"exchangeSession with its event, {name}",
                (Measure(endpoints, ("exchangeSession",), "wall", exchange),),
                _LOGINS,
                "1.08×",
            ),
            Goal(
                f"keys page, few keys and many, {name}",
                (
                    Measure(pages, ("few keys: *", "many keys: *"), "wall", 12),
                    Measure(pages, ("few keys: *", "many keys: *"), "queries", 8, "queries"),
                    Measure(pages, ("many beside few",), "wall", 1.1, "× of few"),
                ),
            ),
            Goal(
                f"many sessions of one end user beside one, {name}",
                (Measure(f"owners/{kind}", ("sessions: *",), "wall", 1.05),),
                ("knox tokens: *",),
                "1.0×",
            ),
            Goal(f"look-up in the largest table beside the smallest, {name}", tuple(table), ("api-key: *",)),
            Goal(f"longest wait beside a purge of half the table, {name}", tuple(deleting), ("clearsessions",)),
        ]
    return goals


GOALS = (*_requests(), *_elsewhere(), *_per_database())
