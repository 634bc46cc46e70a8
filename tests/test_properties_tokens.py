"""Properties of the portal's secrets: how they look, how one follows from another, and that redaction finds them."""

from __future__ import annotations

import string

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from portal import tokens

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIXES = st.sampled_from([tokens.ROOT_KEY, tokens.EXCHANGE_CODE, tokens.ACCESS_TOKEN])
NUMBERS = st.integers(0, 2**256 - 1)
NONCES = NUMBERS.map(lambda number: tokens.base62(number, 43))
SECRETS = st.builds(str.__add__, PREFIXES, NONCES)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
@example(0, 2**256 - 1)
def test_base62_is_positional_and_keeps_order(number: int, other: int) -> None:
    text = tokens.base62(number, 43)
    assert len(text) == 43
    assert sum(BASE62.index(digit) * 62**place for place, digit in enumerate(reversed(text))) == number
    assert (text < tokens.base62(other, 43)) is (number < other)


@settings(deadline=None)
@given(PREFIXES, st.text(max_size=48))
def test_a_secret_has_one_form(prefix: str, other: str) -> None:
    secret = tokens.mint(prefix)
    body = secret.removeprefix(prefix)
    assert tokens.is_secret(secret, prefix)
    assert tokens.is_nonce(body)
    assert len(body) == 43
    assert set(body) <= set(BASE62)
    assert secret != tokens.mint(prefix)
    assert tokens.is_nonce(other) is (len(other) == 43 and set(other) <= set(BASE62))
    assert not tokens.is_secret(secret + "\n", prefix)
    assert len(tokens.digest(secret)) == 32
    assert body[4:] not in tokens.mask(secret)


@settings(deadline=None)
@given(st.text(), NONCES, st.binary(min_size=1), st.text(), NONCES, st.binary(min_size=1))
def test_derive(code: str, nonce: str, key: bytes, other_code: str, other_nonce: str, other_key: bytes) -> None:
    assume((code, nonce, key) != (other_code, other_nonce, other_key))
    token = tokens.derive(code, nonce, key)
    assert tokens.is_secret(token, tokens.ACCESS_TOKEN)
    assert token == tokens.derive(code, nonce, key)
    assert token != tokens.derive(other_code, other_nonce, other_key)


# Whatever stands around a secret: query strings, JSON, escapes, percent-encoding ("%3D" ends in a letter), other secrets.
AROUND = (
    st.text()
    | SECRETS
    | SECRETS.map(lambda secret: secret[:12])
    | st.sampled_from(["?session=", "&code=", "%3Fsession%3D", "\\n", "\\u003d", "Bearer ", '"', "x"])
)


@settings(deadline=None)
@given(AROUND, SECRETS, AROUND)
def test_redact_leaves_no_secret(before: str, secret: str, after: str) -> None:
    body = secret[4:]
    assume(body not in before and body not in after)
    redacted = tokens.redact(before + secret + after)
    assert body not in redacted
    assert tokens.redact(redacted) == redacted


@settings(deadline=None)
@given(st.text(string.printable))
def test_redact_leaves_the_rest_alone(text: str) -> None:
    assume(not any(mark in text for mark in ("prk_", "pst_", "pat_", "session=", "code=")))
    assert tokens.redact(text) == text
