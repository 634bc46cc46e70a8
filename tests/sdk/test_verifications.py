"""How often keys were used, as the clients that have getVerifications read it (wire contract section 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal import clock
from portal.models import PortalConfig
from tests.pages.shelf import put
from tests.usage_store import use, use_usage_store

from .clients import clients, with_keys
from .conftest import Sdk
from .outcomes import INVALID

# Transactions are real: the server answers from a thread and connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3_600_000


@clients(with_keys)
def test_get_verifications(sdk: Sdk, config: PortalConfig, token: str, settings: Any) -> None:
    use_usage_store(settings)
    one, two = put(config, "One"), put(config, "Two")
    now = clock.now()
    counts = {"rate_limited": 2, "insufficient_permissions": 3, "forbidden": 4, "disabled": 5, "expired": 6}
    use(config, one.id, now, valid=1, usage_exceeded=7, **counts)
    use(config, two.id, now, valid=10)
    day = {"startTime": clock.to_milliseconds(now) - 23 * HOUR, "endTime": clock.to_milliseconds(now) + 1}

    points = sdk("getVerifications", day, cookie=token).data

    hour = clock.to_milliseconds(now) // HOUR * HOUR
    assert [point["time"] for point in points] == [hour - ago * HOUR for ago in range(23, -1, -1)]
    (empty,) = {json.dumps({**point, "time": 0}, sort_keys=True) for point in points[:-1]}
    counted = {"valid": 11, "rateLimited": 2, "insufficientPermissions": 3, "forbidden": 4, "disabled": 5, "expired": 6}
    assert points[-1] == {"time": hour, "total": 38, "usageExceeded": 7, **counted}
    assert json.loads(empty) == dict.fromkeys(points[-1], 0)

    points = sdk("getVerifications", {**day, "keyId": two.id}, cookie=token).data
    assert sum(point["total"] for point in points) == 10


@clients(with_keys)
def test_get_verifications_of_too_long_or_no_time(sdk: Sdk, token: str) -> None:
    now = clock.to_milliseconds(clock.now())
    for start, end in ((now, now), (0, now)):
        outcome = sdk("getVerifications", {"startTime": start, "endTime": end}, cookie=token)
        assert outcome.assert_error("BadRequestErrorResponse", 400, INVALID) == []
