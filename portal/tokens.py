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

The API keys of end users have the operator's own prefix, and a checksum at the end: ``<prefix>_<43 characters><6
characters>``. So a typo is told from an unknown key without a query, and a secret scanner that knows the prefix finds keys
and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib

__all__ = [
    "ACCESS_TOKEN",
    "API_KEY_ID",
    "EXCHANGE_CODE",
    "PORTAL_ID",
    "ROOT_KEY",
    "ROOT_KEY_ID",
    "SESSION_ID",
    "api_key_start",
    "base62",
    "derive",
    "digest",
    "drawn",
    "has_checksum",
    "is_api_key",
    "is_api_key_prefix",
    "is_nonce",
    "is_secret",
    "mask",
    "mint",
    "mint_api_key",
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
API_KEY_ID = "key_"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 43  # the smallest n with 62^n >= 2^256
_ID_LENGTH = 22  # 62^22 > 2^128

# A random byte as a character. The last 8 of 256 values would make 8 characters likelier than the others.
_BY_BYTE = bytes(ord(_ALPHABET[value % 62]) for value in range(256))
_LEFT_OVER = bytes(range(248, 256))

_CHECKSUM_LENGTH = 6  # the smallest n with 62^n >= 2^32

_API_KEY = re.compile(rf"[a-z][0-9a-z_]*_[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECKSUM_LENGTH}}}", re.ASCII)
_API_KEY_PREFIX = re.compile(r"(?!(?:prk|pst|pat)(?:_|\Z))[a-z][0-9a-z]*(?:_[0-9a-z]+)*", re.ASCII)
_API_KEY_PREFIX_LENGTH = 16
_START_LENGTH = 4
# Also behind a letter ("%3Dpst_…", "\\npst_…") and when cut off: most of a secret is still most of a secret.
_REDACT_PREFIXED = re.compile(r"(prk_|pst_|pat_)(?:(?!prk_|pst_|pat_)[0-9A-Za-z])+", re.ASCII)
# By its form alone, whatever the prefix, also when cut off: longer than a public id, and with a digit, which the names in
# a traceback have not.
_REDACT_API_KEY = re.compile(rf"(?:_|%5F)(?=[A-Za-z]*[0-9])[0-9A-Za-z]{{{_ID_LENGTH + 1},}}", re.ASCII | re.IGNORECASE)
_REDACT_PARAMETER = re.compile(r"([?&](?:session|code)=)[^&\s\"'#]+")


def base62(number: int, length: int) -> str:
    """Return ``number`` (not negative) in base62, left-padded with zeros to ``length`` characters."""
    digits = []
    for _ in range(length):
        digits.append(_ALPHABET[number % 62])
        number //= 62
    return "".join(digits)[::-1]


def mint(prefix: str) -> str:
    """Return a new secret: ``prefix`` and 43 base62 characters of 256 bits from the operating system's generator."""
    return prefix + nonce()


def drawn(length: int) -> str:
    """Return so many base62 characters, each drawn evenly from the operating system's generator."""
    found = b""
    while len(found) < length:
        # More than are needed, as some are thrown away.
        found += secrets.token_bytes(2 * length).translate(_BY_BYTE, _LEFT_OVER)
    return found[:length].decode()


def nonce() -> str:
    """Return 43 random base62 characters: 256 bits."""
    return drawn(_SECRET_LENGTH)


def is_nonce(value: str) -> bool:
    """Say whether ``value`` has the form of :func:`nonce`."""
    return len(value) == _SECRET_LENGTH and value.isascii() and value.isalnum()


def public_id(prefix: str) -> str:
    """Return a new public id: ``prefix`` and 22 random base62 characters, 128 bits and more. Not a credential."""
    return prefix + drawn(_ID_LENGTH)


def is_secret(value: str, prefix: str) -> bool:
    """Say whether ``value`` has the form of a secret of this kind.

    Anything else needs no query: it cannot be in the database. That tells a caller only what it sent itself.
    """
    return value.startswith(prefix) and is_nonce(value[len(prefix) :])


def mint_api_key(prefix: str) -> str:
    """Return a new API key: the operator's ``prefix``, an underscore, 43 base62 characters and 6 of checksum.

    :param prefix: see :func:`is_api_key_prefix`.
    """
    body = f"{prefix}_{nonce()}"
    return body + _checksum(body)


def is_api_key(value: str) -> bool:
    """Say whether ``value`` has the form of an API key, checksum included."""
    return _API_KEY.fullmatch(value) is not None and has_checksum(value)


def has_checksum(value: str) -> bool:
    """Say whether ``value``, which has the form of an API key, ends with its checksum; if not, it needs no query.

    The checksum is no protection against anybody: who makes up a key makes up its checksum.
    """
    return value[-_CHECKSUM_LENGTH:] == _checksum(value[:-_CHECKSUM_LENGTH])


def is_api_key_prefix(value: str) -> bool:
    """Say whether API keys may begin with ``value``: 1 to 16 lowercase letters, digits and single underscores.

    It begins with a letter, and is none of the prefixes above: a key must not pass for a root key.
    """
    return len(value) <= _API_KEY_PREFIX_LENGTH and _API_KEY_PREFIX.fullmatch(value) is not None


def api_key_start(key: str) -> str:
    """Return the beginning of an API key, by which people tell theirs apart: its prefix and 4 characters."""
    return key[: len(key) - _SECRET_LENGTH - _CHECKSUM_LENGTH + _START_LENGTH]


def _checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


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
    text = _REDACT_API_KEY.sub("_***", text)
    return _REDACT_PARAMETER.sub(r"\1***", text)
