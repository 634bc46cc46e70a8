"""Whatever comes in, an operation answers in the envelope and never with a fault of the server.

hypothesis runs inside each test: the rows are made once a test, and each example leaves the database as it found it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal import slugs, tokens
from portal.keystore.listing import write_cursor
from tests.factories import mint, sign_in
from tests.test_properties import NEARLY_SLUGS, follows_the_rule

pytestmark = pytest.mark.django_db

OPERATIONS = ["createSession", "exchangeSession", "getSession", "listKeys", "endSession"]
VALID: dict[str, dict[str, Any]] = {
    "createSession": {"slug": "my-portal", "externalId": "user_123", "permissions": ["api.*.read_key"]},
    "exchangeSession": {"sessionId": "pst_" + "0" * 43},
    "getSession": {},
    # The cursor of a list that was sorted by creation, before the year 2000: behind it there is nothing.
    "listKeys": {"limit": 5, "cursor": write_cursor(False, 0, 0)},
    "endSession": {},
}
MEMBERS = {
    "createSession": "sessionId url",
    "exchangeSession": "expiresAt token",
    "getSession": "capabilities createdAt expiresAt externalId id permissions portal preview",
    "endSession": "",
}
STATUSES = {200, 400, 401, 403, 404, 413, 415}

Post = Callable[..., Any]


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def credential(operation: str, config: Any, root_key: Any) -> str:
    """Return what the operation asks for, so that a body is looked at."""
    return root_key.secret if operation == "createSession" else sign_in(config).secret


@pytest.fixture
def post(client: Any, operation: str) -> Post:
    """Return ``post(body, **META)``, which asserts on the envelope and changes nothing."""
    client.raise_request_exception = False

    def send(body: bytes, **meta: str) -> Any:
        meta.setdefault("CONTENT_TYPE", "application/json")
        with transaction.atomic():
            response = client.generic("POST", f"/v2/portal.{operation}", body, **meta)
            transaction.set_rollback(True)
        assert_envelope(operation, response)
        return response

    return send


def assert_envelope(operation: str, response: Any) -> None:
    assert response.status_code in STATUSES, response.content[:500]
    assert response["Content-Type"] == "application/json"
    answer = json.loads(response.content)
    assert set(answer["meta"]) == {"requestId"}
    assert re.fullmatch(r"req_[A-Za-z0-9]{16}", answer["meta"]["requestId"])
    if response.status_code == 200:
        if operation == "listKeys":
            assert answer == {"meta": answer["meta"], "data": [], "pagination": {"hasMore": False}}
        else:
            assert set(answer) == {"meta", "data"}
            assert " ".join(sorted(answer["data"])) == MEMBERS[operation]
        return
    assert set(answer) == {"meta", "error"}
    error = answer["error"]
    has_errors = response.status_code in {400, 413}
    assert set(error) == {"detail", "status", "title", "type"} | ({"errors"} if has_errors else set())
    assert error["status"] == response.status_code
    assert all(isinstance(error[name], str) and error[name] for name in ("detail", "title", "type"))
    for finding in error.get("errors", []):
        assert {"location", "message"} <= set(finding) <= {"location", "message", "fix"}
        assert all(isinstance(value, str) for value in finding.values())
    assert ("WWW-Authenticate" in response) is (response.status_code == 401)


def check(examples: int, *strategies: Any) -> Callable[..., Any]:
    """Return the decorator of the function that hypothesis calls."""
    patient = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return lambda function: patient(given(*strategies)(function))


# Bodies ----------------------------------------------------------------------------------------------------------------

NASTY = [
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":' * 33 + b"0" + b"}" * 33,
    b'{"\\ud800":0}',
    *['{"sessionId":"a"}'.encode(encoding) for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32")],
    b'{"sessionId":"' + b"a" * 262_144 + b'"}',
    b'{"__proto__":{},"constructor":null,"":{},"non_field_errors":[]}',
    *[b'"text"', b"null", b"0", b"[]", b"", b" "],
]
# As the value of each member in turn, the others being as they should.
NASTY_VALUES = [
    *[b'"\\u0000"', b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xed\xa0\x80"', b'"\x00"', b'"\xff"', b"", b"null", b"{}"],
    *[b"[[]]", b"9" * 6000, b"-1e400", b"NaN", b"-Infinity", b'[{"a":[]}]', b"[" * 50_000],
]  # fmt: skip


def test_nasty_bodies(post: Post, operation: str, credential: str) -> None:
    for body in NASTY:
        response = post(body, HTTP_AUTHORIZATION=f"Bearer {credential}")
        # Nothing at all means {} and is enough for an operation without required members.
        enough = body == b"" and operation in {"getSession", "listKeys", "endSession"}
        assert response.status_code == (200 if enough else 413 if len(body) > 262_144 else 400), body[:60]


def test_nasty_values(post: Post, operation: str, credential: str) -> None:
    for name, valid in VALID[operation].items():
        others = [f'"{other}":{json.dumps(value)}' for other, value in VALID[operation].items() if other != name]
        twice = f'{json.dumps(valid)},"{name}":{json.dumps(valid)}'.encode()
        for value in [*NASTY_VALUES, twice]:
            body = b"{" + ",".join([*others, f'"{name}":']).encode() + value + b"}"
            assert post(body, HTTP_AUTHORIZATION=f"Bearer {credential}").status_code == 400, body[:90]


def test_any_bytes(post: Post, operation: str, credential: str) -> None:
    valid = json.dumps(VALID[operation]).encode()

    @check(100, st.binary(), st.integers(0, len(valid)), st.booleans())
    def run(junk: bytes, place: int, amid: bool) -> None:
        post(valid[:place] + junk + valid[place:] if amid else junk, HTTP_AUTHORIZATION=f"Bearer {credential}")

    assert post(valid, HTTP_AUTHORIZATION=f"Bearer {credential}").status_code in {200, 401}
    run()


NAMES = st.sampled_from(sorted({name for body in VALID.values() for name in body} | {"preview", "returnUrl", "", "\0"}))
# Lone surrogates, NUL and everything else that Unicode has.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(["my-portal", "keys:read", "a.*.b"])
# Python's own json cannot write a number as long as the one that this stands for.
HUGE = "a number of 4301 digits"
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just(HUGE))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXTS, inner, max_size=4), max_leaves=8
)


def write(value: Any, depth: int, twice: bool) -> bytes:
    """Return ``value`` in ``depth`` lists as JSON, NaN and lone surrogates included; ``twice``: each outer member."""
    text = json.dumps(value).replace(f'"{HUGE}"', "9" * 4301)
    if twice and text.startswith("{") and len(text) > 2:
        text = f"{text[:-1]},{text[1:]}"
    return ("[" * depth + text + "]" * depth).encode()


def test_any_json(post: Post, operation: str, credential: str) -> None:
    odd = st.dictionaries(NAMES, VALUES, max_size=4).map(lambda members: VALID[operation] | members)

    @check(150, VALUES | odd, st.sampled_from([0, 0, 0, 1, 31, 33, 40]), st.booleans())
    def run(value: Any, depth: int, twice: bool) -> None:
        post(write(value, depth, twice), HTTP_AUTHORIZATION=f"Bearer {credential}")

    run()


# Headers ---------------------------------------------------------------------------------------------------------------

# What a server can hand on: latin-1 without line ends and NUL.
HEADER = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60)


def test_any_credential(post: Post, operation: str, credential: str, config: Any) -> None:
    session, code = mint(config)
    known = [credential, code, session.public_id, tokens.mint("pat_"), tokens.mint("prk_"), "prk_", "pat_", ""]
    values = HEADER | st.sampled_from(known)
    schemes = st.sampled_from(["Bearer ", "bearer\t", "BEARER  ", "Basic ", "Bearer", "Bearer Bearer ", " \xa0Bearer "])
    authorization = HEADER | st.tuples(schemes, values).map("".join)
    cookie = HEADER | st.tuples(st.sampled_from(["portal_session=", 'portal_session="', "a=b; "]), values).map("".join)

    @check(150, st.none() | authorization, st.none() | cookie)
    def run(authorization: str | None, cookie: str | None) -> None:
        meta = {"HTTP_AUTHORIZATION": authorization, "HTTP_COOKIE": cookie}
        body = json.dumps(VALID[operation]).encode()
        post(body, **{name: value for name, value in meta.items() if value is not None})

    run()


# Without "*": Django's own request class refuses RFC 2231 parameters that are wrong before any view is asked.
CONTENT_TYPES = st.one_of(
    HEADER.filter(lambda value: "*" not in value),
    st.sampled_from(["application/json", "application/JSON ", "text/plain", "multipart/form-data; boundary=x", ""]),
    st.sampled_from(
        ["utf-8", "UTF8", "utf-16", "hex", "idna", "latin-1", "\xe9", "", '"utf-8', "utf-8; charset=x"]
    ).map("application/json; charset=".__add__),
)
ORIGINS = st.sampled_from(["null", "https://app.example.com", "https://portal.example.com", "", "https://["]) | HEADER
OTHERS = st.sampled_from(["CONTENT_ENCODING", "ACCEPT", "ACCEPT_LANGUAGE", "X_FORWARDED_FOR", "REFERER", "COOKIE"])


def test_any_header(post: Post, operation: str, credential: str) -> None:
    @check(150, CONTENT_TYPES, st.none() | ORIGINS, st.dictionaries(OTHERS, HEADER, max_size=3), st.booleans())
    def run(content_type: str, origin: str | None, headers: dict[str, str], by_cookie: bool) -> None:
        meta = {f"HTTP_{name}": value for name, value in headers.items()} | {"CONTENT_TYPE": content_type}
        if by_cookie:
            meta["HTTP_COOKIE"] = f"portal_session={credential}"
        else:
            meta["HTTP_AUTHORIZATION"] = f"Bearer {credential}"
        if origin is not None:
            meta["HTTP_ORIGIN"] = origin
        post(json.dumps(VALID[operation]).encode(), **meta)

    run()


def test_odd_content_lengths(post: Post, operation: str, credential: str) -> None:
    for length in ["", "0", "1", "-1", "+1", " 1 ", "abc", "1.5", "\xb2", "262145", "9" * 20, "9" * 5000]:
        response = post(b'{"a": 1}', HTTP_AUTHORIZATION=f"Bearer {credential}", CONTENT_LENGTH=length)
        assert (response.status_code == 413) is (len(length) > 5), length[:30]


# The slug rule, as the API has it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["createSession"], indirect=True)
def test_slug_rule_of_create_session(post: Post, credential: str) -> None:
    @check(200, NEARLY_SLUGS)
    @example("my--portal")
    @example("abc\n")
    def run(slug: str) -> None:
        body = json.dumps(VALID["createSession"] | {"slug": slug}).encode()
        response = post(body, HTTP_AUTHORIZATION=f"Bearer {credential}")
        # There is no such portal; a slug that follows the rule gets as far as that.
        assert response.status_code == (404 if follows_the_rule(slug) else 400)
        if response.status_code == 400 and not response.json()["error"]["errors"]:
            assert response.json()["error"]["detail"] == slugs.RULE

    run()
