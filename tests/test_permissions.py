"""Permissions and capabilities (design decisions 12 and 13)."""

from __future__ import annotations

import pytest

from portal.permissions import (
    CAPABILITIES,
    capabilities_of,
    is_root_key_permission,
    is_session_permission,
    may_mint,
    missing_capabilities,
    ordered,
    verifiable_keyspaces,
)


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ("api.*.read_key", {"keys:read"}),
        ("api.*.create_key", {"keys:create", "keys:reroll"}),
        ("api.*.update_key", {"keys:update"}),
        ("api.*.delete_key", {"keys:delete"}),
        ("api.*.read_analytics", {"analytics:read"}),
        ("api.ks_1.read_key", {"keys:read"}),
        ("api.ks_2.read_key", set()),
        ("api.ks.read_key", set()),
        ("api.*.*", set()),
        ("api.*.verify_key", set()),
        ("keys:delete", {"keys:delete"}),
        ("keys:*", set()),
        ("*", set()),
        ("nonsense", set()),
    ],
)
def test_decision_12(permission, expected):
    assert capabilities_of([permission], "ks_1") == expected


def test_a_portal_without_a_keyspace_matches_the_star_only():
    assert capabilities_of(["api.x.read_key", "api.*.read_key"], "") == {"keys:read"}


@pytest.mark.parametrize("value", [*CAPABILITIES, "api.*.read_key", "any.thing.goes", "ä. .\t"])
def test_session_permissions(value):
    assert is_session_permission(value)


@pytest.mark.parametrize(
    "value", ["", "*", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.c\n.", "keys:fly", "keys:read "]
)
def test_no_session_permissions(value):
    assert not is_session_permission(value)


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "portal.*.create_portal_session",
        "portal.prt_1.create_portal_session",
        "api.*.verify_key",
        "api.ks_1.read_analytics",
        *CAPABILITIES,
    ],
)
def test_root_key_permissions(value):
    assert is_root_key_permission(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "**", "api.*.create_portal_session", "api.*.*", "api.*.fly", "portal.*.create_portal_session\n", "keys"),
        *("portal.*.verify_key", "api.*.verify_key\n"),
    ],
)
def test_no_root_key_permissions(value):
    assert not is_root_key_permission(value)


def test_may_mint():
    assert may_mint(["*"], "prt_1")
    assert may_mint(["portal.*.create_portal_session"], "prt_1")
    assert may_mint(["portal.prt_1.create_portal_session"], "prt_1")
    assert not may_mint(["portal.prt_2.create_portal_session", *CAPABILITIES], "prt_1")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (["*"], {"*"}),
        (["api.*.verify_key"], {"*"}),
        (["api.ks_1.verify_key", "api.ks_2.verify_key", "keys:read"], {"ks_1", "ks_2"}),
        (["api.ks_1.verify_key", "*"], {"ks_1", "*"}),
        (
            [
                "portal.*.verify_key",
                "api.*.read_key",
                "api.*.*",
                "api.*.verify_keys",
                "api.*.verify_key.",
                *CAPABILITIES,
            ],
            set(),
        ),
    ],
)
def test_verifiable_keyspaces(held, expected):
    assert verifiable_keyspaces(held) == expected


def test_missing_capabilities():
    assert missing_capabilities(["api.*.create_key"], ["keys:create"], "ks_1") == ["keys:reroll"]
    assert missing_capabilities(["keys:read"], ["api.ks_2.read_key"], "ks_1") == ["keys:read"]
    assert missing_capabilities(CAPABILITIES, ["*"], "ks_1") == []


def test_ordered():
    assert ordered(["analytics:read", "keys:read", "keys:read", "nonsense"]) == ["keys:read", "analytics:read"]
