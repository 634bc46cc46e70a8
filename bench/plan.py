"""How much is measured: the whole bench, its short form, and the sizes that take minutes to fill."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["PLANS", "Plan"]


@dataclass(frozen=True)
class Plan:
    """Counts and seconds. A round is base, subject, base, subject; each part says what a chunk of calls is."""

    rounds: int
    calls: int
    #: Rounds of what takes milliseconds: pages, and endpoints that write.
    slow_rounds: int
    slow_calls: int
    #: Calls that valgrind counts, and then twice as many for the difference; none leaves the part out.
    counted_calls: int
    wire_rounds: int
    wire_seconds: int
    #: For each kind of request and each way to deploy; none leaves the part out.
    deployed_seconds: int
    #: Sessions in the tables that are compared, the smallest first.
    sizes: tuple[int, ...]
    #: Sessions of one end user that are compared.
    sessions: tuple[int, ...]
    keys: int
    #: Rows to delete, half of those in the table.
    purged: int
    #: So often: a longest wait is one event, and comes out differently each time.
    purges: int
    #: Every row of a part, or those that the goals name and the nearest peers.
    all_rows: bool = True


FULL = Plan(
    rounds=40,
    calls=25,
    slow_rounds=20,
    slow_calls=10,
    counted_calls=30,
    wire_rounds=3,
    wire_seconds=3,
    deployed_seconds=2,
    sizes=(1_000, 100_000, 1_000_000),
    sessions=(1, 100, 10_000),
    keys=10_000,
    purged=500_000,
    purges=3,
)
QUICK = replace(
    FULL,
    rounds=6,
    slow_rounds=4,
    counted_calls=0,
    wire_rounds=1,
    wire_seconds=1,
    deployed_seconds=0,
    sizes=(1_000, 20_000),
    sessions=(1, 100, 1_000),
    keys=1_000,
    purged=5_000,
    purges=1,
    all_rows=False,
)


PLANS = {
    "quick": QUICK,
    "full": FULL,
    "large": replace(FULL, sizes=(*FULL.sizes, 10_000_000)),
}
