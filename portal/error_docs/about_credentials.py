"""Errors about who is calling: root keys, access tokens and exchange codes."""

from __future__ import annotations

from portal.errors import (
    AuthenticationMalformed,
    AuthenticationMissing,
    Forbidden,
    KeyDisabled,
    KeyNotFound,
    PortalSessionNotFound,
    PortalTokenMissing,
    TooManyRequests,
)

from .doc import CHECK_SESSION, EXCHANGE_CODE, MINT_SESSION, ErrorDoc

__all__ = ["DOCS"]

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="portal"'}
_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer realm="portal", error="invalid_token"'}

DOCS = (
    ErrorDoc(
        example=AuthenticationMissing(headers=_CHALLENGE),
        title="No root key came with the request",
        call="`portal.createSession` without an `Authorization` header",
        happened="The operation is for backends and needs a root key, and the request has no `Authorization` header.",
        causes=(
            "The client did not set the header.",
            "Something in between removed it: a proxy, a redirect to another host, or Apache with `mod_wsgi`, which passes "
            "it on with `WSGIPassAuthorization On` only.",
            "The call came from a browser with the portal's cookie. Cookies are never looked at here.",
        ),
        fix="Send the root key as `Authorization: Bearer prk_…`, from your backend.",
        curl=MINT_SESSION,
        mistakes=(
            "Sending the key in the query, in the body or in a header such as `X-Api-Key`. It is read from nowhere else.",
            "Calling this operation from a browser. Whoever opens the page could read the root key.",
        ),
        related=(AuthenticationMalformed, KeyNotFound, PortalTokenMissing),
    ),
    ErrorDoc(
        example=AuthenticationMalformed(headers=_CHALLENGE),
        title="The Authorization header is not a Bearer key",
        call="`portal.createSession` with the key and without the word `Bearer`",
        happened="There is an `Authorization` header, and it is not the word `Bearer`, a space and a key.",
        causes=(
            "The word `Bearer` is missing, or another scheme such as `Basic` or `Token` stands in its place.",
            "The key is empty, most often because the environment variable that holds it is not set.",
            "A staging site behind HTTP Basic took the header for itself. A request has only one.",
        ),
        fix="Send exactly `Authorization: Bearer` and the key, with one space between them.",
        curl=MINT_SESSION,
        mistakes=(
            "Using curl's `-u`, or a client's option for a user and password. Both send `Basic`.",
            "Writing `Bearer:` with a colon, or `Bearer=`. The word is followed by a space.",
        ),
        related=(AuthenticationMissing, KeyNotFound),
    ),
    ErrorDoc(
        example=KeyNotFound(headers=_INVALID_TOKEN),
        title="The root key is not known",
        call="`portal.createSession` with a key that does not exist",
        happened="The key is unknown or has expired. The answer is the same for both, so that nobody can try keys out.",
        causes=(
            "The key was rotated, and the time in which the old one still worked is over.",
            "The key belongs to another installation: staging and production have databases of their own.",
            "It is another kind of secret: an access token (`pat_…`), an exchange code (`pst_…`), the key of an end user.",
            "A character was lost in copying.",
        ),
        fix=(
            "Compare the key with the one that your backend should have. Where it is lost, make a new one with "
            "`python manage.py portal_create_root_key NAME`; a key is shown only once and cannot be looked up."
        ),
        curl=MINT_SESSION,
        mistakes=(
            "Repeating the call. Failed authentications are counted by address, and too many of them are answered 429.",
            "Writing single quotes around `$ROOT_KEY` in a shell, which then sends those nine characters.",
            "Looking the key up in the database. Only its hash is there.",
            "Sending the root key's id instead of the key. The key begins with `prk_`.",
        ),
        related=(KeyDisabled, AuthenticationMalformed, TooManyRequests),
    ),
    ErrorDoc(
        example=PortalTokenMissing(headers=_CHALLENGE),
        title="No portal session token came with the request",
        call="`portal.getSession` without a credential",
        happened=(
            "The operation acts for one end user and needs that user's access token, and none came: no `Authorization` "
            "header and no session cookie, or a credential of another kind."
        ),
        causes=(
            "A root key was sent. It belongs to a backend and does not say which user is meant.",
            "The header is there without a token or with another scheme than `Bearer`. A header, when present, is all "
            "that counts; the cookie beside it is not looked at.",
            'The browser did not send its cookie: `fetch` without `credentials: "include"`, or a page on another site, '
            "to which a `SameSite=Lax` cookie does not travel.",
        ),
        fix=(
            "Send the access token as `Authorization: Bearer pat_…`. In a browser that has the portal's cookie, send no "
            "`Authorization` header and let `fetch` include credentials."
        ),
        curl=CHECK_SESSION,
        mistakes=(
            "Sending the root key. Mint a session with it, exchange the code, and send the token.",
            "Adding an HTTP client's default `Authorization` header to a request that relies on the cookie.",
            "Reading the cookie in a script to put it into the header. It is HttpOnly on purpose.",
        ),
        related=(PortalSessionNotFound, AuthenticationMissing, Forbidden),
    ),
    ErrorDoc(
        example=PortalSessionNotFound(headers=_CHALLENGE),
        title="The session or its code cannot be used",
        call="`portal.exchangeSession` with a code that was used before",
        happened=(
            "The exchange code or the access token is unknown, expired, revoked or, for a code, already used. The answer "
            "is the same for all of them, so that nobody can try values out."
        ),
        causes=(
            "The code was exchanged before. Each works once, and the portal's own page may have spent it.",
            "The code is too old: it lasts 15 minutes unless the operator chose otherwise.",
            "The session is over: its 24 hours ended, the user signed out, or an operator ended it, disabled the portal or "
            "pointed it at other keys.",
            "The code was sent as an access token. `pst_…` has to be exchanged first; `pat_…` is the token.",
        ),
        fix=(
            "Start again from your backend: call `portal.createSession` for the user, then exchange the new code once, "
            "within 15 minutes. In a browser, open the portal again from your product."
        ),
        curl=EXCHANGE_CODE,
        mistakes=(
            "Exchanging the code in the backend and also redirecting the user to the link. The second one finds it spent.",
            "Repeating an exchange whose answer was lost. Mint a new session; the old one ends by itself.",
            "Keeping codes or links for later, in a mail for example. Mint one at the moment the user asks to go in.",
        ),
        related=(PortalTokenMissing, Forbidden, TooManyRequests),
    ),
    ErrorDoc(
        example=KeyDisabled(),
        title="The root key is disabled",
        call="`portal.createSession` with a key that an operator switched off",
        happened="The key is right, and an operator has disabled it. Sessions that it minted are a matter of their own.",
        causes=(
            "The key may have leaked, and was switched off until that is clear.",
            "The backend that used it was retired, and this one still has its key.",
        ),
        fix=(
            "Ask the operator of the portal: either the key is enabled again, or your backend gets a new one with "
            "`python manage.py portal_create_root_key NAME`."
        ),
        curl=MINT_SESSION,
        mistakes=(
            "Repeating the call. Nothing but the operator changes this answer.",
            "Having a key enabled that did leak. Make a new one and leave the old one off.",
        ),
        related=(KeyNotFound, Forbidden),
    ),
)
