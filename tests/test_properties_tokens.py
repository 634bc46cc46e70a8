"""Properties of the portal's secrets: how they look, how one follows from another, and that redaction finds them."""

from __future__ import annotations

import secrets
import string
import zlib

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from portal import tokens

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIXES = st.sampled_from([tokens.ROOT_KEY, tokens.EXCHANGE_CODE, tokens.ACCESS_TOKEN])
NUMBERS = st.integers(0, 2**256 - 1)
NONCES = NUMBERS.map(lambda number: tokens.base62(number, 43))
SECRETS = st.builds(str.__add__, PREFIXES, NONCES)

WORDS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
KEY_PREFIXES = (
    st.lists(WORDS, min_size=1, max_size=3)
    .map("_".join)
    .filter(lambda text: len(text) <= 16 and text[0].isalpha() and text.split("_")[0] not in {"prk", "pst", "pat"})
)
API_KEYS = KEY_PREFIXES.map(tokens.mint_api_key)
#: Where the checksum begins.
SUM = -6


def test_characters_are_drawn_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 256 values of a byte 8 are left out: with them, 8 of the 62 characters would be likelier than the others."""
    bytes_drawn = iter([bytes([255] * 8), bytes([0, 61, 62, 247, 248, 123, 186, 255])])
    monkeypatch.setattr(secrets, "token_bytes", lambda number: next(bytes_drawn))
    assert tokens.drawn(4) == "0z0z"


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
# Letters and digits, as Unicode sees them.
@example(tokens.ROOT_KEY, "é" * 43)
@example(tokens.ROOT_KEY, "٣" * 43)
@example(tokens.ROOT_KEY, "_" * 43)
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


# API keys --------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(KEY_PREFIXES)
@example("a")
@example("acme_live")
@example("a" * 16)
@example("pat2")
@example("prkeys")
@example("x_prk_y")
def test_an_api_key_has_one_form(prefix: str) -> None:
    key = tokens.mint_api_key(prefix)
    assert tokens.is_api_key_prefix(prefix)
    assert tokens.is_api_key(key)
    body, checksum = key[:SUM], key[SUM:]
    assert body.startswith(f"{prefix}_")
    assert tokens.is_nonce(body.removeprefix(f"{prefix}_"))
    assert sum(BASE62.index(digit) * 62**place for place, digit in enumerate(reversed(checksum))) == zlib.crc32(
        body.encode()
    )
    # None passes for a credential of the portal, or the other way round.
    for other in (tokens.ROOT_KEY, tokens.EXCHANGE_CODE, tokens.ACCESS_TOKEN):
        assert not tokens.is_secret(key, other)
        assert not tokens.is_api_key(tokens.mint(other))
    assert tokens.mint_api_key(prefix) != key


@settings(deadline=None)
@given(API_KEYS, st.data())
def test_every_typo_in_an_api_key_is_noticed(key: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(key) - 1))
    letter = data.draw(st.sampled_from(f"{BASE62}_") | st.characters())
    assume(letter != key[place])
    assert not tokens.is_api_key(key[:place] + letter + key[place + 1 :])
    assert not tokens.is_api_key(key[:place] + key[place + 1 :])
    assert not tokens.is_api_key(key[:place] + letter + key[place:])


@settings(deadline=None)
@given(API_KEYS, st.data())
def test_two_neighbors_that_changed_places_are_noticed(key: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(key) - 2))
    # Where the body's last letter and the sum's first change places, one in some hundred million keys stays right.
    assume(key[place] != key[place + 1] and place != len(key) + SUM - 1)
    assert not tokens.is_api_key(key[:place] + key[place + 1] + key[place] + key[place + 2 :])


@settings(deadline=None)
@given(st.text(max_size=60), API_KEYS)
def test_nothing_but_the_key_itself_is_one(text: str, key: str) -> None:
    assume(text)
    assert not tokens.is_api_key(text)
    assert not tokens.is_api_key(key + text)
    assert not tokens.is_api_key(f"{key}\n")
    assert not tokens.is_api_key(f" {key}")
    assert not tokens.is_api_key(key.upper())


def follows_the_prefix_rule(value: str) -> bool:
    """Say whether keys may begin with ``value``, in other words than portal.tokens and without a regular expression."""
    parts = value.split("_")
    return (
        1 <= len(value) <= 16
        and all(parts)
        and value[0] in string.ascii_lowercase
        and all(letter in string.ascii_lowercase + string.digits for part in parts for letter in part)
        and parts[0] not in {"prk", "pst", "pat"}
    )


@settings(deadline=None, max_examples=500)
@given(st.text("abkprst09_", max_size=18) | st.text("a_", max_size=18) | st.text(max_size=4))
@example("prk")
@example("pst_live")
@example("pat_")
@example("a__b")
@example("_a")
@example("a_")
@example("9a")
@example("A")
@example("a\n")
@example("a-b")
@example("é")
@example("a٣")
@example("a" * 17)
def test_the_rule_of_prefixes(value: str) -> None:
    assert tokens.is_api_key_prefix(value) is follows_the_prefix_rule(value)


@settings(deadline=None)
@given(KEY_PREFIXES)
def test_the_start_of_an_api_key_tells_it_apart_and_no_more(prefix: str) -> None:
    key = tokens.mint_api_key(prefix)
    start = tokens.api_key_start(key)
    assert key.startswith(start)
    assert len(start) == len(prefix) + 1 + 4
    assert start.startswith(f"{prefix}_")
    # The column that keeps it.
    assert len(start) <= 32


# Redaction -------------------------------------------------------------------------------------------------------------

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
@given(AROUND, API_KEYS, AROUND)
def test_redact_leaves_no_api_key(before: str, key: str, after: str) -> None:
    body = key[-49:]
    assume(body not in before and body not in after)
    redacted = tokens.redact(before + key + after)
    assert body not in redacted
    assert body[:20] not in redacted
    assert body[-20:] not in redacted
    assert tokens.redact(redacted) == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Bearer acme_live_{key} 401", "Bearer acme_live_*** 401"),
        ("acme_{key}acme_{key}", "acme_***_***"),
        ("acme_{key}\\nacme_{key}", "acme_***\\nacme_***"),
        # Whoever has all but the sum has the key.
        ("acme_{short}", "acme_***"),
        ("acme_{typo}", "acme_***"),
        ("acme_{cut}…", "acme_***…"),
        ("acme%5F{key}", "acme_***"),
    ],
)
def test_redact_api_keys(text: str, redacted: str) -> None:
    key = tokens.mint_api_key("acme")[-49:]
    assert tokens.redact(text.format(key=key, short=key[:43], cut=key[:24] + "0", typo=f"{key[:-1]}0")) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "key_0123456789ABCDEFGHIJkl",
        "acme_live_4fGh",
        "portal_portalsession",
        "x_" + "0" * 22,
        "acme_" + "0" * 20 + "…",
        "_" + "Name" * 9,
    ],
)
def test_redact_leaves_ids_and_starts_alone(text: str) -> None:
    assert tokens.redact(text) == text


@settings(deadline=None)
@given(st.text(string.printable))
def test_redact_leaves_the_rest_alone(text: str) -> None:
    assume(not any(mark in text for mark in ("prk_", "pst_", "pat_", "session=", "code=")))
    assert tokens.redact(text) == text
