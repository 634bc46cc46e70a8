"""Errors that pass by themselves, or that only an operator can end."""

from __future__ import annotations

from portal.errors import (
    BodyUnreadable,
    KeyNotFound,
    PortalSessionNotFound,
    ServiceUnavailable,
    TooManyRequests,
    UnexpectedError,
)

from .doc import MINT_SESSION, ErrorDoc

__all__ = ["DOCS"]

# curl waits for Retry-After between its attempts, and with --fail prints the answer of the last one only.
_PATIENTLY = MINT_SESSION.replace("curl", "curl --fail --retry 5", 1)

DOCS = (
    ErrorDoc(
        example=TooManyRequests(600, "min", 18),
        title="Too many requests",
        call="`portal.createSession`, for the 601st time within a minute",
        happened=(
            "One thing was done too often within the window that `detail` names. `Retry-After` and `RateLimit-Reset` say in "
            "how many seconds the window ends; after that the same request is answered. Nothing was changed."
        ),
        causes=(
            "One root key minted more sessions than the operator allows, 600 a minute by default.",
            "Too many exchanges or authentications from one address failed, 60 a minute by default: a wrong key in a loop, "
            "or many users behind one proxy that the portal does not know.",
        ),
        fix=(
            "Wait for as many seconds as `Retry-After` says, then send the request again. curl does so with `--retry`; most "
            "HTTP clients have the like."
        ),
        curl=_PATIENTLY,
        mistakes=(
            "Repeating at once. Every call counts, the refused ones included.",
            "Minting a session for every page view. Mint one at the moment the user asks to go in.",
            "Running behind a proxy without `TRUSTED_PROXIES`. All users then share the proxy's address and its limit.",
            "Parsing the answer as `application/json` only. This error alone is `application/problem+json`.",
        ),
        related=(KeyNotFound, PortalSessionNotFound, ServiceUnavailable),
    ),
    ErrorDoc(
        example=UnexpectedError(),
        title="The server failed",
        call="any operation, while something in the server is broken",
        happened=(
            "The server met a fault that it did not expect. Details are only in the server log, beside the `requestId`; "
            "callers do not get them, because such texts can hold secrets."
        ),
        causes=(
            "The server is set up wrongly. `portal.createSession` without `BASE_URL` is one case, and says so in `detail`.",
            "The database, if it is PostgreSQL, does not have this release's tables yet: run `python manage.py migrate`.",
            "A fault in the portal or in the host's own code around it.",
        ),
        fix=(
            "Give the `requestId` to the operator, who finds the fault in the log by it. This command tells whether the "
            "server can serve at all."
        ),
        curl='curl --fail-with-body "$BASE_URL/health/ready"',
        mistakes=(
            "Repeating without end. A fault in the setup does not pass by itself; try again once or twice, then stop.",
            "Reporting the time instead of the `requestId`. The header `X-Request-Id` has it, too.",
        ),
        related=(ServiceUnavailable,),
    ),
    ErrorDoc(
        example=ServiceUnavailable(),
        title="The service is not available right now",
        call="any operation, while the database cannot be reached",
        happened=(
            "The database cannot be reached or takes no writes at the moment. Nothing was changed, a code was not spent, "
            "and a repeat is safe."
        ),
        causes=(
            "The database restarts, fails over, or has no free connection.",
            "The portal is being updated.",
            "On SQLite, another process kept the file locked for longer than the busy timeout.",
        ),
        fix=(
            "Wait for as many seconds as `Retry-After` says and send the same request again, with longer pauses when it "
            "lasts. An operator sees in the answer of `health/ready` whether the database is back."
        ),
        curl=_PATIENTLY,
        mistakes=(
            "Giving up at the first one. It passes within seconds when a database fails over.",
            "Repeating from many clients at the same moment. Add a random part to the pause.",
        ),
        related=(UnexpectedError, TooManyRequests, BodyUnreadable),
    ),
)
