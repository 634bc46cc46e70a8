"""How often keys were used."""

from __future__ import annotations

from portal.error_docs.doc import EXAMPLE_KEY_ID
from portal.errors import ApiKeyNotFound, InsufficientPermissions, KeyStoreFailed, KeyStoreUnavailable

from .about_keys import KEY_ID
from .description import Description, Form
from .schemas import Schema, items, moment, number, record, ref

__all__ = ["OPERATIONS", "SCHEMAS"]

_OUTCOMES = {
    "valid": "that were served",
    "rateLimited": "refused, because the key was used too often",
    "insufficientPermissions": "refused, because the key lacks a permission",
    "forbidden": "refused, because an operator locked the key",
    "disabled": "refused, because the key was switched off",
    "expired": "refused, because the key, or an old secret, had ended",
    "usageExceeded": "refused, because the key had no uses left",
}
SCHEMAS: dict[str, Schema] = {
    "UsageBucket": record(
        {
            "time": moment("when the bucket begins"),
            "total": number("requests"),
            **{name: number(f"requests {meaning}") for name, meaning in _OUTCOMES.items()},
        }
    )
}
_SERIES = items(ref("UsageBucket"), "a bucket each, without gaps")
_BUCKET = {"time": 1795478400000, "total": 3, **dict.fromkeys(_OUTCOMES, 0), "valid": 2, "expired": 1}

OPERATIONS = {
    "portal.getVerifications": Description(
        summary="Count how often the user's keys were used, by the hour or the day",
        tag="API keys",
        forms={
            "usage": Form(
                answer={
                    "data": items(ref("UsageBucket"), "all that was asked for, a bucket each, without gaps"),
                    "bucketMillis": number("how long a bucket is, in milliseconds", 1),
                    "keys": items(
                        record({"keyId": KEY_ID, "data": _SERIES}), "the same by key, the most used first", maxItems=100
                    ),
                },
                example=(
                    {"startTime": 1795478400000, "endTime": 1795482000000},
                    {
                        "data": [_BUCKET],
                        "bucketMillis": 3600000,
                        "keys": [{"keyId": EXAMPLE_KEY_ID, "data": [_BUCKET]}],
                    },
                ),
            )
        },
        errors=(InsufficientPermissions, KeyStoreFailed, KeyStoreUnavailable, ApiKeyNotFound),
    )
}
