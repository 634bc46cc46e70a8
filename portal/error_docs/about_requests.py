"""Errors about the request itself: its path, method, headers and body."""

from __future__ import annotations

from portal.errors import (
    AuthenticationMissing,
    BodyTooLarge,
    BodyUnreadable,
    InsufficientPermissions,
    InvalidInput,
    MethodNotAllowed,
    PortalConfigNotFound,
    ServiceUnavailable,
    UnknownOperation,
    UnsupportedMediaType,
)

from .doc import CHECK_SESSION, EXCHANGE_CODE, MINT_SESSION, ErrorDoc

__all__ = ["DOCS"]

DOCS = (
    ErrorDoc(
        example=InvalidInput(
            "POST request body for '/v2/portal.createSession' failed to validate schema",
            errors=[{"location": "body.externalId", "message": "This member is required.", "fix": "Add the member."}],
        ),
        title="The request is not valid",
        call="`portal.createSession` without `externalId`",
        happened=(
            "The body arrived and could not be accepted. Each entry of `errors` names one place in it by `location`, says "
            "what is wrong there in `message` and, where there is one way out, what to do in `fix`. Nothing was changed."
        ),
        causes=(
            "A required member is missing, is `null`, or has another type than the operation takes.",
            "The body has a member that the operation does not know. None is ignored, so that a typo cannot pass unseen.",
            "A value breaks its rule: a slug with capitals or two hyphens in a row, a permission that is neither one of "
            "the six capabilities nor three parts such as `api.*.read_key`, a `returnUrl` whose origin the portal does "
            "not list.",
            "The body is not one JSON object in UTF-8: single quotes, a trailing comma, a member that appears twice.",
        ),
        fix="Go through `errors` and change what each `location` names. `body` alone means the whole document; where "
        "`errors` is empty, `detail` says it.",
        curl=MINT_SESSION,
        mistakes=(
            "Sending the same body again. It gets the same answer.",
            "Escaping quotes by hand in a shell. Put the JSON between single quotes, or into a file for `-d @body.json`.",
            "Sending `null` for a value that you do not have. Leave the member out.",
            "Matching on the words of `message`. They may be improved; `location` and the code are stable.",
        ),
        related=(UnsupportedMediaType, BodyUnreadable, InsufficientPermissions),
    ),
    ErrorDoc(
        example=BodyUnreadable(),
        title="The request body could not be read",
        call="`portal.createSession` whose body broke off",
        happened="The connection failed while the server was still reading the body, or the body's length was not "
        "announced. Nothing was changed.",
        causes=(
            "The client gave up or crashed in the middle of sending.",
            "The body came in chunks (`Transfer-Encoding: chunked`), or a proxy passed it on like that. `detail` says so.",
            "A proxy between the two closed the connection, often because its own time limit ran out.",
            "The network broke.",
        ),
        fix="Send the request again, with a `Content-Length`. Where it keeps happening, look at the time limits of the "
        "proxies in between, and let them buffer requests.",
        curl=MINT_SESSION,
        mistakes=(
            "Setting `Content-Length` by hand. HTTP clients count the bytes themselves; characters are not bytes.",
            "Streaming a body of a few hundred bytes. Send it in one piece.",
        ),
        related=(InvalidInput, BodyTooLarge, ServiceUnavailable),
    ),
    ErrorDoc(
        example=BodyTooLarge(),
        title="The request body is too large",
        call="any operation with a body of more than 262144 bytes (256 KiB)",
        happened="The body is over the limit, and nothing of it was looked at. That is why `errors` is empty.",
        causes=(
            "Something else than the operation's few members went into the body: a file, a log, a whole user record.",
            "A list grew in a loop, for example `permissions` with one entry for each of a user's keys.",
        ),
        fix="Send the operation's own members only. A valid body of any operation is far below the limit.",
        curl=MINT_SESSION,
        mistakes=(
            "Compressing the body. Compressed bodies are refused with 415.",
            "Raising the limit of the proxy in front. This limit is the portal's own and is fixed.",
        ),
        related=(InvalidInput, UnsupportedMediaType),
    ),
    ErrorDoc(
        example=UnknownOperation(),
        title="No operation has this path",
        call="`POST /v2/portal.createSession/`, with a slash at the end",
        happened="The path begins like an operation of the portal and is none of them.",
        causes=(
            "The path ends with a slash. Operation paths have none, and there is no redirect: it would turn the POST into "
            "a GET.",
            "The name is misspelled. It is case-sensitive: `portal.createSession`.",
            "The client was made for a later release, or for an operation that this portal does not have.",
        ),
        fix="Correct the path: the address of the portal, `/v2/`, then the operation's name.",
        curl=MINT_SESSION,
        mistakes=(
            "Leaving out the prefix. With the portal mounted below `/portal/`, the path is "
            "`/portal/v2/portal.createSession`.",
            "Taking this 404 for a missing portal. That one has another code, and `type` tells the two apart.",
        ),
        related=(MethodNotAllowed, PortalConfigNotFound),
    ),
    ErrorDoc(
        example=MethodNotAllowed(headers={"Allow": "POST"}),
        title="Operations take POST only",
        call="`GET /v2/portal.getSession`",
        happened="The path is right and the method is not. Every operation is a POST, those that only read included.",
        causes=(
            "The client used GET because the operation reads, or a browser opened the address.",
            "A redirect turned the POST into a GET, typically from `http` to `https` or to another host name.",
            "The client was told neither a method nor a body; curl then sends GET.",
        ),
        fix="Send POST with a JSON body, to the final address. An operation without members takes `{}`.",
        curl=CHECK_SESSION,
        mistakes=(
            "Letting the client follow redirects with `-L`. Use the address that the redirect leads to.",
            "Moving members into the query. Operations read the body only.",
        ),
        related=(UnknownOperation, UnsupportedMediaType),
    ),
    ErrorDoc(
        example=UnsupportedMediaType(),
        title="The body is not declared as JSON",
        call="`portal.exchangeSession` with `Content-Type: application/x-www-form-urlencoded`",
        happened="The headers announce something else than plain JSON in UTF-8, so the body was not read.",
        causes=(
            "There is no `Content-Type`, or it is the client's default. curl's `-d` announces a form.",
            "The media type is a relative: `text/json`, `application/problem+json`, `text/plain`.",
            "The charset is not UTF-8, or the body is compressed (`Content-Encoding: gzip`).",
        ),
        fix="Send `Content-Type: application/json`, no `Content-Encoding`, and the body in UTF-8.",
        curl=EXCHANGE_CODE,
        mistakes=(
            "Setting `Accept` instead. It says what you want back; `Content-Type` says what you send.",
            "Sending `text/plain` from a browser to avoid the CORS preflight. Have the operator list your origin instead.",
        ),
        related=(InvalidInput, MethodNotAllowed, AuthenticationMissing),
    ),
)
