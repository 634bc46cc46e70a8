"""Why a line of the table is hard to reach, and what to try next: printed below the table where a line is not reached."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["IDEAS"]

_STRICT_SQLITE = (
    "SQLite's code falls out of the processor's caches between requests: the bare statement takes 10 µs in a loop and 25 to "
    "35 after a request; its file locks are 2 to 3 of them. `SESSION_CACHE_SECONDS` saves all of it. Next: the raw "
    "connection in place of Django's cursor, 10 to 15 µs, which would hide the query from every tool that counts queries."
)
_STRICT_POSTGRES = (
    "The time is two wake-ups of a process; planning is 0.10 ms of it and execution 0.02. Next: server-side binding, which "
    "saves the planning (see *deployment*); past that, `SESSION_CACHE_SECONDS`."
)
_MINT = (
    "Two look-ups, the root key and the portal, and two rows, where what it is compared with writes one row and looks up "
    "nothing. PostgreSQL takes both rows in one statement; SQLite needs two and a transaction. Next: both look-ups in one, "
    "which would read the body of a stranger's request before it is known who asks."
)
_EXCHANGE = (
    "It writes the session and its event; what it is compared with writes one row. PostgreSQL takes both in one statement; "
    "SQLite needs two and a transaction. Next: nothing in Python is above 2 %; half of COMMIT is the pages of the indexes."
)
_KEYS_PAGE = (
    "Two thirds of it are Django's template engine, which renders 25 rows of several cells each. With 10,000 keys the rest "
    "is their counts, 1.4 ms, of which 0.9 is reading the rows. Next: a template engine that compiles; counts up to a bound."
)

_CACHED = (
    "The row of API keys is the slowest: it also notes the use. By instructions all are within the goal. What is left are "
    "the hash, the clock, one setting, the router and the check for a transaction, 1 to 2 µs each. Next: parsing of "
    "cookies, 3 µs."
)
_PURGE_POSTGRES = (
    "The median of the longest waits of three purges, to read beside the row of nothing beside it: what the machine does by "
    "itself. Next: the same on a machine with a disk of its own."
)

#: By a line's words in the table.
IDEAS: Mapping[str, str] = {
    **{f"request authenticated by {name}, SQLite": _STRICT_SQLITE for name in ("session", "root key", "API key")},
    **{f"request authenticated by {name}, PostgreSQL": _STRICT_POSTGRES for name in ("session", "root key", "API key")},
    **{f"request authenticated with SESSION_CACHE_SECONDS > 0, {name}": _CACHED for name in ("SQLite", "PostgreSQL")},
    "longest wait beside a purge of half the table, PostgreSQL": _PURGE_POSTGRES,
    **{f"createSession with its event, {name}": _MINT for name in ("SQLite", "PostgreSQL")},
    **{f"exchangeSession with its event, {name}": _EXCHANGE for name in ("SQLite", "PostgreSQL")},
    **{f"keys page, few keys and many, {name}": _KEYS_PAGE for name in ("SQLite", "PostgreSQL")},
}
