"""The credentials and public ids of the portal: how they are made, stored, recognised and masked.

Three secrets exist, each with a prefix of its own, so that a secret scanner can name it and none is mistaken for another:

====== ===================== =========================================== ==========
prefix what                  who holds it                                lives
====== ===================== =========================================== ==========
prk_   root key              the host's backend                          until revoked
pst_   exchange code         in one redirect, for one POST               15 minutes
pat_   access token          the browser's cookie or an API client       24 hours
====== ===================== =========================================== ==========

Each is 256 random bits in base62. At rest there is only the SHA-256 of the whole string: with 256 bits of entropy there
is nothing to guess, so a slow password hash would buy no safety and cost a quarter of a second a request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

__all__ = [
    "ACCESS_TOKEN",
    "EXCHANGE_CODE",
    "PORTAL_ID",
    "ROOT_KEY",
    "ROOT_KEY_ID",
    "SESSION_ID",
    "base62",
    "derive",
    "digest",
    "is_nonce",
    "is_secret",
    "mask",
    "mint",
    "nonce",
    "public_id",
    "redact",
]

ROOT_KEY = "prk_"
EXCHANGE_CODE = "pst_"
ACCESS_TOKEN = "pat_"  # noqa: S105 - a prefix, not a secret

PORTAL_ID = "prt_"
SESSION_ID = "ps_"
ROOT_KEY_ID = "rk_"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_BITS = 256
_SECRET_LENGTH = 43  # the smallest n with 62^n >= 2^256
_ID_BITS = 128
_ID_LENGTH = 22

_SECRET_BODY = re.compile(rf"[0-9A-Za-z]{{{_SECRET_LENGTH}}}", re.ASCII)
# Also behind a letter ("%3Dpst_…", "\\npst_…") and when cut off: most of a secret is still most of a secret.
_REDACT_PREFIXED = re.compile(r"(prk_|pst_|pat_)(?:(?!prk_|pst_|pat_)[0-9A-Za-z])+", re.ASCII)
_REDACT_PARAMETER = re.compile(r"([?&](?:session|code)=)[^&\s\"'#]+")


def base62(number: int, length: int) -> str:
    """Return ``number`` (not negative) in base62, left-padded with zeros to ``length`` characters."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def mint(prefix: str) -> str:
    """Return a new secret: ``prefix`` and 43 base62 characters of 256 bits from the operating system's generator."""
    return prefix + nonce()


def nonce() -> str:
    """Return 43 base62 characters of 256 random bits."""
    return base62(secrets.randbits(_SECRET_BITS), _SECRET_LENGTH)


def is_nonce(value: str) -> bool:
    """Say whether ``value`` has the form of :func:`nonce`."""
    return _SECRET_BODY.fullmatch(value) is not None


def public_id(prefix: str) -> str:
    """Return a new public id: ``prefix`` and 22 base62 characters of 128 random bits. Not a credential."""
    return prefix + base62(secrets.randbits(_ID_BITS), _ID_LENGTH)


def is_secret(value: str, prefix: str) -> bool:
    """Say whether ``value`` has the form of a secret of this kind.

    Anything else needs no query: it cannot be in the database. That tells a caller only what it sent itself.
    """
    return value.startswith(prefix) and is_nonce(value[len(prefix) :])


def digest(secret: str) -> bytes:
    """Return the 32 bytes under which ``secret`` is stored and looked up: SHA-256 of its UTF-8.

    Looking up the hash, never the secret, also means that the time of an index search says nothing about the secret.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def derive(code: str, browser_nonce: str, key: bytes) -> str:
    """Return the access token that the landing page gives to one browser for one exchange code.

    It is an HMAC over both under ``key`` (a SECRET_KEY), so the same browser, asking again because the answer got lost,
    gets the same token, while nobody else can compute it: not from the code (an attacker lacks the cookie), not from the
    cookie (it is the same for every code).

    :param code: the exchange code, in clear.
    :param browser_nonce: the value of the ``portal_nonce`` cookie.
    :param key: the bytes of SECRET_KEY, or of one of SECRET_KEY_FALLBACKS when recognising an older answer.
    """
    # HMAC-SHA-256 by name: django.utils.crypto.salted_hmac defaults to SHA-1.
    separate = hashlib.sha256(b"portal.tokens.derive:" + key).digest()
    value = hmac.new(separate, f"{code}:{browser_nonce}".encode(), hashlib.sha256).digest()
    return ACCESS_TOKEN + base62(int.from_bytes(value), _SECRET_LENGTH)


def mask(secret: str) -> str:
    """Return a form of ``secret`` that people can tell apart and nobody can use: its prefix, 4 characters and dots."""
    return f"{secret[:8]}…"


def redact(text: str) -> str:
    """Return ``text`` with every secret of this app, and every ``session=`` or ``code=`` parameter, blanked out.

    For log lines: access logs see the landing page's URL, which holds an exchange code until it is spent.
    """
    text = _REDACT_PREFIXED.sub(r"\1***", text)
    return _REDACT_PARAMETER.sub(r"\1***", text)
