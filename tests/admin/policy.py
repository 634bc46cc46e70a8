"""A host that sends a strict policy with its admin."""

from __future__ import annotations

from typing import Any

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def strict_policy(get_response: Any) -> Any:
    """Add the policy to what has none."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware
