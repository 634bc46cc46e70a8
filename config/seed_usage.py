"""Thirty days in which the demo's customer used its keys: by office hours, with one bad night and a forgotten script."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from portal import clock
from portal.contrib.keys.models import ApiKey, KeyUsage
from portal.contrib.keys.models.usage import HOURS_A_DAY, Count, hour_of, moment_of
from portal.keystore.base import Outcome, Owner

DAYS = 30

#: What a key did in an hour: how often, by outcome.
Story = Callable[[datetime, random.Random], dict[Outcome, int]]


def _production(moment: datetime, dice: random.Random) -> dict[Outcome, int]:
    """Follow the working day of users; a server is never quiet."""
    daylight = max(0.0, math.sin((moment.hour - 6) / 15 * math.pi))
    busy = (12 + 190 * daylight) * (0.35 if moment.weekday() >= 5 else 1)
    return {
        Outcome.VALID: round(busy * dice.uniform(0.85, 1.15)),
        Outcome.RATE_LIMITED: int(dice.random() * daylight * 3),
    }


def _builds(moment: datetime, dice: random.Random) -> dict[Outcome, int]:
    """Build while people work; some builds try what their key may not do."""
    if moment.weekday() >= 5 or not 7 <= moment.hour <= 18:
        return {}
    return {Outcome.VALID: dice.randint(0, 28), Outcome.INSUFFICIENT_PERMISSIONS: int(dice.random() > 0.85) * 2}


def _nightly(moment: datetime, dice: random.Random) -> dict[Outcome, int]:
    """Import each night; in one of thirty it ran wild."""
    if moment.hour not in {2, 3}:
        return {}
    if moment.toordinal() % DAYS == 6:
        return {Outcome.VALID: 600, Outcome.RATE_LIMITED: 900 + dice.randint(0, 90)}
    return {Outcome.VALID: dice.randint(150, 210)}


def _rarely(moment: datetime, dice: random.Random) -> dict[Outcome, int]:
    """Look now and then."""
    return {Outcome.VALID: dice.randint(1, 3)} if moment.toordinal() % 6 == 3 and moment.hour == 14 else {}


def _switched_off(moment: datetime, dice: random.Random) -> dict[Outcome, int]:
    """Try each Monday, as a forgotten script does."""
    return {Outcome.DISABLED: 1} if moment.weekday() == 0 and moment.hour == 9 else {}


#: By the names of the keys.
STORIES: dict[str, Story] = {
    "Production server": _production,
    "CI": _builds,
    "Partner import": _nightly,
    "Staging": _rarely,
    "Old laptop": _switched_off,
}


def give_usage(owner: Owner) -> None:
    """Count what the keys did in the last 30 days, on the days on which nothing was counted yet.

    So running the demo again adds nothing, and a week later it adds the week.
    """
    for key in ApiKey.objects.owned_by(owner.keyspace_id, owner.external_id).filter(name__in=STORIES):
        known = {hour // HOURS_A_DAY for hour in KeyUsage.objects.filter(key=key).values_list("hour", flat=True)}
        counts = {count: number for count, number in _told(key).items() if count.hour // HOURS_A_DAY not in known}
        if counts:
            KeyUsage.objects.add(counts)


def _told(key: ApiKey) -> dict[Count, int]:
    """Tell the story of a key until this hour began; it is the same whenever it is told."""
    now = clock.now()
    # No use before there was the key.
    begin = max(hour_of(now - timedelta(days=DAYS)), hour_of(key.created_at) + 1)
    told: dict[Count, int] = {}
    for hour in range(begin, hour_of(now)):
        moment = moment_of(hour)
        dice = random.Random(f"{key.name} {moment}")  # noqa: S311 - a story, no secret
        for outcome, number in STORIES[key.name](moment, dice).items():
            if number:
                told[Count(key.pk, hour, outcome.value)] = number
    if key.last_used_at and hour_of(key.last_used_at) >= begin:
        # One at least where the key's page says that it was used last.
        told.setdefault(Count(key.pk, hour_of(key.last_used_at), Outcome.VALID.value), 1)
    return told
