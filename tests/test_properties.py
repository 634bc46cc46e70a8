"""Properties of slugs, permissions and origins, for whatever hypothesis thinks of."""

from __future__ import annotations

import string
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal import permissions, slugs
from portal.origins import OriginError, check_return_url, parse_origin

# Slugs -----------------------------------------------------------------------------------------------------------------

LOWER_AND_DIGITS = string.ascii_lowercase + string.digits
NEARLY_SLUGS = st.one_of(
    st.text("ab09-", max_size=70),
    st.text("az-" + "A_. \n\t\x00éß²٣ａ", max_size=8),
    st.text("a", min_size=60, max_size=70),
    st.text(),
)


def follows_the_rule(value: str) -> bool:
    """Say whether ``value`` is a slug, in other words than portal.slugs and without a regular expression."""
    parts = value.split("-")
    return 3 <= len(value) <= 64 and all(parts) and all(letter in LOWER_AND_DIGITS for part in parts for letter in part)


@settings(max_examples=1000, deadline=None)
@given(NEARLY_SLUGS)
@example("abc\n")
@example("a--b")
@example("a" * 64)
def test_slug_rule(value: str) -> None:
    assert slugs.is_slug(value) is follows_the_rule(value)


# Permissions -----------------------------------------------------------------------------------------------------------

KEYSPACE = "ks_1"
ACTIONS = {
    "read_key": {"keys:read"},
    "create_key": {"keys:create", "keys:reroll"},
    "update_key": {"keys:update"},
    "delete_key": {"keys:delete"},
    "read_analytics": {"analytics:read"},
}
SEGMENTS = st.text("a*_\n é", min_size=1, max_size=3)
MEANINGFUL = st.tuples(SEGMENTS, st.sampled_from(["*", KEYSPACE]), st.sampled_from(sorted(ACTIONS))).map(".".join)
NEARLY = st.tuples(
    st.just("api") | SEGMENTS,
    st.sampled_from(["*", KEYSPACE, "ks_2", "KS_1", "ks_1 ", "**", ""]) | SEGMENTS,
    st.sampled_from([*ACTIONS, "verify_key", "create_portal_session", "*", "read_key\n", "Read_key", ""]) | SEGMENTS,
).map(".".join)
PERMISSION_LISTS = st.lists(
    st.one_of(st.sampled_from(permissions.CAPABILITIES), MEANINGFUL, NEARLY, st.text(max_size=5)), max_size=6
)


def meaning(permission: str) -> set[str]:
    """Return the capabilities of one permission, as design decision 12 has them."""
    parts = permission.split(".")
    if permission in permissions.CAPABILITIES:
        return {permission}
    if len(parts) == 3 and all(parts) and parts[1] in ("*", KEYSPACE):
        return ACTIONS.get(parts[2], set())
    return set()


@settings(max_examples=300, deadline=None)
@given(PERMISSION_LISTS)
def test_capabilities_are_what_the_permissions_mean(granted: list[str]) -> None:
    assert permissions.capabilities_of(granted, KEYSPACE) == set().union(*map(meaning, granted))


@settings(deadline=None)
@given(PERMISSION_LISTS)
def test_capabilities_have_a_normal_form(granted: list[str]) -> None:
    capabilities = permissions.capabilities_of(granted, KEYSPACE)
    normal = permissions.ordered(capabilities)
    assert capabilities <= set(permissions.CAPABILITIES)
    assert len(normal) == len(capabilities)
    assert permissions.capabilities_of(normal, KEYSPACE) == capabilities
    assert permissions.ordered(reversed(normal)) == normal


@settings(deadline=None)
@given(PERMISSION_LISTS, PERMISSION_LISTS)
def test_more_permissions_never_mean_less(some: list[str], more: list[str]) -> None:
    both = permissions.capabilities_of(some + more, KEYSPACE)
    assert permissions.capabilities_of(some, KEYSPACE) <= both
    assert both == permissions.capabilities_of(some, KEYSPACE) | permissions.capabilities_of(more, KEYSPACE)


@settings(deadline=None)
@given(PERMISSION_LISTS, PERMISSION_LISTS)
def test_nothing_is_missing_exactly_when_all_is_held(requested: list[str], held: list[str]) -> None:
    wanted = permissions.capabilities_of(requested, KEYSPACE)
    owned = permissions.capabilities_of(held, KEYSPACE)
    missing = permissions.missing_capabilities(requested, held, KEYSPACE)
    assert (missing == []) is ("*" in held or wanted <= owned)
    assert set(missing) <= wanted - owned
    assert permissions.missing_capabilities(requested, [*held, *missing], KEYSPACE) == []
    assert permissions.missing_capabilities(requested, [*held, "*"], KEYSPACE) == []


# Return URLs -----------------------------------------------------------------------------------------------------------

LISTED = [
    "https://app.example.com",
    "https://app.example.com:8443",
    "https://192.0.2.1",
    "https://[2001:db8::1]",
    "http://localhost:3000",
    "http://127.0.0.1",
]
ODD = st.sampled_from([*"\t\n\r\0\\@:/?#% .[]<>|^`\"'\x7f\x1f;&=", "\u3002", "\uff0e", "\uff0f", "\u2044", "é", "%00"])


def mostly(usual: str, *odd: str) -> st.SearchStrategy[str]:
    """Return the usual text three times out of four, so that not every URL fails at its first part."""
    return st.sampled_from([usual] * 3 * len(odd) + list(odd))


SCHEMES = mostly("https", "http", "HTTPS", "hTTp", "javascript", "data", "ftp", "file", "", "https:https")
SEPARATORS = mostly("://", ":/", ":", ":///", ":\\\\", "://\t", "//", ":/\\")
USERS = mostly("", "user@", "user:pw@", "app.example.com@", "app.example.com%2f@", "@", ":@")
HOSTS = st.sampled_from(
    [urlsplit(origin).netloc for origin in LISTED]
    + ["APP.example.com", "app.example.com.", "evil.example", "app.example.com.evil.example", "127.1", "0x7f.0.0.1"]
    + ["3221225985", "[::1]", "[2001:DB8::1]", "[2001:db8:0::1]", "localhost", "xn--app-6na.example.com", "a..b"]
)
PORTS = mostly("", ":", ":443", ":80", ":8443", ":08443", ":3000", ":65536", ":0", ":٣", ":-1")
RESTS = st.sampled_from(
    ["", "/", "/a/b?c=d&e#f", "?x=//evil.example", "#@evil.example", "/..//evil.example", "/%5c", "/a b"]
)
BUILT = st.tuples(SCHEMES, SEPARATORS, USERS, HOSTS, PORTS, RESTS).map("".join)


@st.composite
def broken_urls(draw: st.DrawFn) -> str:
    """Return a URL of a listed origin with something odd put in somewhere."""
    url = draw(st.sampled_from(LISTED)) + draw(RESTS)
    place = draw(st.integers(0, len(url)))
    return url[:place] + draw(ODD | st.characters()) + url[place:]


def origin_by_urllib(url: str) -> str:
    """Return what urllib takes for the origin, written as browsers write it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, default} else "")


@settings(max_examples=1000, deadline=None)
@given(st.one_of(BUILT, broken_urls(), st.sampled_from(LISTED).flatmap(lambda origin: st.text().map(origin.__add__))))
@example("https://app.example.com\\@evil.example/")
@example("https://app.example.com@evil.example/")
@example("https://app.example.com\n")
@example("https://app.example.com\u3002evil.example/")
def test_accepted_return_urls_are_what_urllib_reads(url: str) -> None:
    try:
        accepted = check_return_url(url, LISTED)
    except OriginError:
        return
    parts = urlsplit(accepted)
    assert accepted == url
    assert origin_by_urllib(accepted) in LISTED
    assert parts.username is None
    assert parts.password is None
    assert accepted.isascii()
    assert accepted.isprintable()
    assert not set(accepted) & set(' \\"<>`{}|^')


@settings(deadline=None)
@given(st.sampled_from(LISTED), st.text(string.ascii_letters + string.digits + "-._~/?#&=%+", max_size=40))
def test_plain_return_urls_are_accepted(origin: str, rest: str) -> None:
    assert check_return_url(f"{origin}/{rest}", LISTED) == f"{origin}/{rest}"
    with pytest.raises(OriginError, match="among the portal's return origins"):
        check_return_url(f"{origin}/{rest}", [listed for listed in LISTED if listed != origin])


@settings(max_examples=1000, deadline=None)
@given(st.one_of(BUILT, broken_urls(), st.text()))
@example("HTTPS://APP.EXAMPLE.COM:443/")
@example("https://[::ffff:192.0.2.1]")
def test_parse_origin_is_idempotent(value: str) -> None:
    try:
        origin = parse_origin(value)
    except OriginError:
        return
    assert parse_origin(origin) == origin
    assert origin_by_urllib(value) == origin
    # Python 3.13 writes an IPv4-mapped address with dots, browsers never do.
    assert "[" not in origin or "." not in origin
    assert check_return_url(f"{origin}/x", [origin]) == f"{origin}/x"
