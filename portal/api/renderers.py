"""How answers are written: compact JSON in UTF-8."""

from __future__ import annotations

from typing import Any

from rest_framework.utils.encoders import JSONEncoder

__all__ = ["encode"]

# As DRF's renderer writes, but for two line separators that are escaped there for JavaScript of old.
_encode = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encode(answer: Any) -> bytes:
    """Return ``answer``, of JSON's types and what DRF writes as text, as the body of an answer."""
    return _encode(answer).encode()
