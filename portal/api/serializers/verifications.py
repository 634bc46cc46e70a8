"""The body of ``portal.getVerifications`` (wire contract section 5)."""

from __future__ import annotations

from portal.api.fields import IntegerField

from .base import StrictSerializer
from .keys import KeyIdField

__all__ = ["GetVerificationsSerializer"]

#: The contract's last moment: the end of 2099, in Unix milliseconds.
_LAST_MOMENT = 4102444800000


class GetVerificationsSerializer(StrictSerializer):
    """Body of ``portal.getVerifications``. How the two times are to each other is judged with the answer in view."""

    startTime = IntegerField(
        low=0,
        high=_LAST_MOMENT,
        help_text="from when on, in Unix milliseconds; at the earliest the day that `USAGE_RETENTION` ago was",
    )
    endTime = IntegerField(
        low=0,
        high=_LAST_MOMENT,
        help_text="until before when; after `startTime`, and not more than `USAGE_RETENTION` and a day later",
    )
    keyId = KeyIdField(required=False, help_text="only this key")
