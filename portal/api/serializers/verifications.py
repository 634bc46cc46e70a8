"""The body of ``portal.getVerifications`` (wire contract section 5)."""

from __future__ import annotations

from .base import StrictSerializer
from .keys import KeyIdField, moment_field

__all__ = ["GetVerificationsSerializer"]


class GetVerificationsSerializer(StrictSerializer):
    """Body of ``portal.getVerifications``. How the two times are to each other is judged with the answer in view."""

    startTime = moment_field(
        help_text="start (inclusive), in Unix milliseconds; no earlier than the day that was `USAGE_RETENTION` ago",
    )
    endTime = moment_field(
        help_text="end (exclusive); after `startTime`, by at most `USAGE_RETENTION` and a day",
    )
    keyId = KeyIdField(required=False, help_text="only this key")
