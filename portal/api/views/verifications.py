"""How often the end user's keys were used: getVerifications of the contract."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rest_framework.request import Request

from portal import clock
from portal.api.serializers.verifications import GetVerificationsSerializer
from portal.conf import portal_settings
from portal.errors import InvalidInput
from portal.keystore.usage import DAY, Tally, Window, oldest_day

from .keys import KeyOperation

__all__ = ["GetVerifications"]


def _window(body: dict[str, Any]) -> Window:
    """Return the buckets of the time that the body asks for.

    :raises InvalidInput: it ends before it begins, begins before what is kept, or is longer than that.
    """
    start, end = (clock.from_milliseconds(body[name]) for name in ("startTime", "endTime"))
    if end <= start:
        raise InvalidInput("endTime must be after startTime.")
    kept = portal_settings.USAGE_RETENTION
    # A day more than is kept, because the day of the oldest moment is kept whole. Also where it lies in the future: each
    # bucket of it is a line of the answer.
    if start < oldest_day() or end - start > kept + DAY:
        raise InvalidInput(f"Usage is kept for {kept / DAY:g} days. Ask for a time within them.")
    return Window.around(start, end)


def _points(window: Window, series: Iterable[Tally]) -> list[dict[str, int]]:
    """Return a series as the contract writes it, nine whole numbers a bucket."""
    return [
        {
            "time": clock.to_milliseconds(start),
            "total": tally.total,
            "valid": tally.valid,
            "rateLimited": tally.rate_limited,
            "insufficientPermissions": tally.insufficient_permissions,
            "forbidden": tally.forbidden,
            "disabled": tally.disabled,
            "expired": tally.expired,
            "usageExceeded": tally.usage_exceeded,
        }
        for start, tally in zip(window.starts, series, strict=True)
    ]


class GetVerifications(KeyOperation):
    """``portal.getVerifications``: how often the end user's keys were used, by the hour or the day."""

    name = "portal.getVerifications"
    writes = False
    serializer_class = GetVerificationsSerializer

    def handle(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Return both published shapes at once: ``data [bucket…]``, and ``bucketMillis`` with ``keys [{keyId, data}…]``.

        The older clients read the one and the newer ones the other, and each ignores what it does not know (wire contract
        section 8).
        """
        keys = self.keys(request)
        # Who may not see usage does not learn how long it is kept.
        keys.session.require("analytics:read")
        window = _window(body)
        usage = keys.usage_of(body["keyId"], window) if "keyId" in body else keys.usage_summary(window)
        return {
            "data": _points(window, usage.series),
            "bucketMillis": window.bucket // timedelta(milliseconds=1),
            "keys": [
                {"keyId": key_id, "data": _points(window, usage.only(key_id).series)} for key_id, _total in usage.by_key
            ],
        }
